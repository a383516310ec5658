// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Names that policy knows, learned from DNS answers on their way to whoever
 * asked, before that can connect: from port 53 over UDP, and over TCP where an
 * answer comes in one piece. Attached while policy judges by name.
 */
#include "dns.h"
#include "events.h"
#include "policy.h"
#include "read.h"
#include "tables.h"

BPF_PERCPU_ARRAY(readings, struct reading, BUFFERS);

/* A softirq interrupts a task's send, and where tasks can be preempted one another's. */
static inline struct reading *claim_reading(void)
{
#pragma unroll
	for (int i = 0; i < BUFFERS; i++) {
		u64 slot = i;
		struct reading *reading = readings.lookup((u32 *)&slot);

		if (!reading)
			return 0;
		lock_xadd(&reading->busy, 1);
		if (recall(&reading->busy) == 1)
			return reading;
		lock_xadd(&reading->busy, -1);
	}
	count_lost(LOST_JUDGED);
	return 0;
}

static inline void release_reading(struct reading *reading)
{
	lock_xadd(&reading->busy, -1);
}

static inline void fill_name(struct named *name, struct reading *reading)
{
	for (int i = 0; i < SUFFIXES; i++)
		name->suffixes[i] = recall(&reading->host.suffixes[i]);
	name->labels = recall(&reading->host.count);
	name->end_ns = bpf_ktime_get_boot_ns() + REMEMBERED_NS;
}

static inline void learn_address(struct reading *reading, struct named *name, u64 netns)
{
	u64 at = recall(&reading->name_at) & (TEXT_BYTES - 1);
	struct address_key key = {.netns = netns};

	if (recall(&reading->name_bytes) == 4)
		map_ipv4(key.address_be, *(u32 *)(reading->text + at));
	else
		__builtin_memcpy(key.address_be, reading->text + at, sizeof(key.address_be));
	remember_name(&key, name);
}

static inline void learn(struct reading *reading, u32 bank, const struct asking *asking,
			 u32 is_trusted)
{
	struct named name = {.trusted = is_trusted, .uid = asking->uid};
	u64 netns = asking->netns;

	wash(&name, sizeof(name));
	reading->host.seed = state_of(STATE_SEED);
	if (!read_question(reading))
		return;
	if (is_listed(&reading->host, bank))
		fill_name(&name, reading);
	wash(&name, sizeof(name));
	for (int i = 0; i < DNS_STEPS; i++) {
		enum dns_step step = read_answer(reading);

		if (step == DNS_END)
			break;
		if (step == DNS_ADDRESS)
			learn_address(reading, &name, netns);
	}
}

/* Where a message from port 53 begins, or 0. */
static inline u64 message_from_dns(struct __sk_buff *skb)
{
	u64 offset = from_dns(skb);
	u8 head[16];

	if (offset)
		return offset + UDP_BYTES;
	offset = transport_of(skb, IPPROTO_TCP);
	if (!offset || bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
		return 0;
	if (*(u16 *)head != DNS_PORT_BE)
		return 0;
	/* RFC 793: the header's words; RFC 1035, 4.2.2: two bytes of length. */
	return offset + (head[12] >> 4) * 4 + 2;
}

int learn_names(struct __sk_buff *skb)
{
	u64 offset = message_from_dns(skb), bytes = skb->len;
	struct policy *policy = policy_in_force();
	struct bpf_sock *sk = skb->sk;
	struct reading *reading;
	struct asking *asking;
	u8 resolver_be[16];

	if (!offset || !policy || bytes < offset + DNS_LEAST_BYTES || !sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	asking = askings.sk_storage_get(sk, 0, 0);
	if (!asking) /* nobody here asked */
		return 1;
	reading = claim_reading();
	if (!reading)
		return 1;
	fill_source(resolver_be, skb);
	note(&reading->at, offset);
	offset = recall(&reading->at);
	bytes = one_to(bytes - offset, TEXT_BYTES);
	note(&reading->bytes, bytes);
	if (!bpf_skb_load_bytes(skb, offset, reading->text, bytes))
		learn(reading, bank_of(policy), asking, is_resolver(resolver_be));
	release_reading(reading);
	return 1;
}
