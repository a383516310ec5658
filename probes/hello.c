// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first that a TCP connection says, on its way out of whatever socket of
 * the scope: judged once, by the name in it. What is refused never leaves; user
 * space then destroys the socket, so that its owner sees an error and no
 * time-out. Catches what no DNS answer gave away: DoH, /etc/hosts, shared
 * addresses, proxies. Not seen: encrypted names (ECH), hellos that are spread
 * over several TLS records, names that begin beyond 4 KiB.
 * Attached while policy judges by name.
 */
#include "events.h"
#include "hello.h"
#include "policy.h"
#include "read.h"
#include "tables.h"

/* What is known of a socket; made now, where it was not when it connected. */
static inline struct socket *socket_of(struct bpf_sock *sk, struct __sk_buff *skb,
				       struct socket *known)
{
	struct socket *made;

	if (known)
		return known;
	made = sockets.sk_storage_get(sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (made)
		made->uid = bpf_get_socket_uid(skb);
	else
		count_lost(LOST_JUDGED);
	return made;
}

/*
 * Finds what the connection says. Returns 0 while that is not all there: the
 * segment may go, as nothing can be done with a part.
 */
static inline int hear(struct __sk_buff *skb, struct bpf_sock *sk, struct socket **socket,
		       struct segment *segment, struct reading *reading)
{
	segment->goes_on = *socket && (*socket)->state == HELLO_INCOMPLETE;
	if (segment->goes_on) {
		if (!load_parts(skb, sk, *socket, segment, reading))
			return 0;
	} else if (load_first(skb, segment, reading)) {
		return 1;
	}
	wash(segment, sizeof(*segment));
	read_hello(segment, reading);
	/* Once more, so that the verifier follows the reading once. */
	*socket = sockets.sk_storage_get(sk, 0, 0);
	if (segment->found != FOUND_PART || recall(&reading->bytes) >= TEXT_BYTES)
		return 1;
	if (segment->goes_on)
		return 0;
	*socket = socket_of(sk, skb, *socket);
	return !*socket || keep_part(skb, sk, *socket, segment);
}

static inline u64 conditions_of_packet(const struct policy *policy, struct __sk_buff *skb)
{
	u64 holds = 0;

	for (int level = 0; level < CGROUP_LEVELS; level++) {
		u64 id = bpf_skb_ancestor_cgroup_id(skb, level);

		if (!id)
			break;
		holds |= conditions_of_cgroup(policy, id);
	}
	return holds;
}

static inline void ask(struct asked *asked, const struct policy *policy, struct __sk_buff *skb,
		       const struct socket *socket, const struct segment *segment)
{
	struct actor actor = {};

	if (socket) {
		copy_tools(actor.tools, &socket->member);
		actor.paths = socket->member.paths;
		actor.uid = socket->uid;
		actor.inside = socket->inside;
	} else {
		actor.uid = bpf_get_socket_uid(skb);
	}
	if (policy->flags & POLICY_CGROUP)
		actor.cgroup = conditions_of_packet(policy, skb);
	wash(&actor, sizeof(actor));
	__builtin_memcpy(asked->tools, actor.tools, sizeof(asked->tools));
	__builtin_memcpy(asked->address_be, segment->target_be, sizeof(asked->address_be));
	asked->holds = conditions_of(policy, &actor);
	asked->now_ns = bpf_ktime_get_boot_ns();
	asked->bank = bank_of(policy);
	asked->port_be = segment->target_port_be;
	asked->has_address = segment->found != FOUND_PROXY || segment->is_literal;
}

/*
 * By the name that it says. Where it says none, on the port that was left to
 * what it says, by the one that was looked up; elsewhere connect.c went by that.
 */
static inline void judge_words(struct judged *said, struct asked *asked,
			       const struct segment *segment, struct reading *reading,
			       const struct socket *socket)
{
	struct address_key key = {};
	struct named *named;

	if (is_name(segment->found)) {
		asked->is_trusted = 1;
		ask_by_name(asked, reading->host.suffixes, recall(&reading->host.count));
	} else {
		if (segment->remote_port_be != HTTPS_PORT_BE || !socket)
			return;
		__builtin_memcpy(key.address_be, segment->remote_be, sizeof(key.address_be));
		key.netns = socket->netns;
		named = name_of(&key, socket->uid);
		if (named)
			ask_by_name(asked, named->suffixes, named->labels);
	}
	wash(asked, sizeof(*asked));
	judge_reach(said, asked);
}

/* Judges, tells, and keeps what was found: a connection is asked once. Returns 0 to drop it. */
static inline int decide(struct __sk_buff *skb, struct bpf_sock *sk, const struct policy *policy,
			 struct socket *socket, struct segment *segment, struct reading *reading)
{
	struct ruling ruling = {};
	struct judged said = {.choice = NO_CHOICE};
	struct asked asked = {};

	ask(&asked, policy, skb, socket, segment);
	wash(&asked, sizeof(asked));
	judge_words(&said, &asked, segment, reading, socket);
	fill_ruling(&ruling, policy, said.choice);
	/* Not all of it could be kept or read: a session is not let through for that. */
	if (segment->found == FOUND_PART && socket && socket->member.tools[0] &&
	    (asked.holds & policy->named))
		refuse_for_room(&ruling, policy);
	if (ruling.verdict == VERDICT_BLOCK)
		ruling.enforcement = segment->found == FOUND_PROXY ? ENFORCED_PROXY : ENFORCED_TLS;
	wash(&ruling, sizeof(ruling));
	if (ruling.verdict >= VERDICT_ALERT)
		socket = socket_of(sk, skb, socket);
	if (!socket)
		return ruling.verdict != VERDICT_BLOCK;
	socket->state = ruling.verdict == VERDICT_BLOCK ? HELLO_REFUSED : HELLO_PASSED;
	if (ruling.verdict >= VERDICT_ALERT || (socket->member.root_pid && is_name(segment->found)))
		emit_hello(skb, socket, segment, reading, &ruling, said.domain);
	return ruling.verdict != VERDICT_BLOCK;
}

int judge_hello(struct __sk_buff *skb)
{
	struct policy *policy = policy_in_force();
	struct bpf_sock *sk = skb->sk;
	struct segment segment = {};
	struct reading *reading;
	struct socket *socket;
	int passes = 1;

	if (!policy || !(policy->flags & POLICY_NAME) || !sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != IPPROTO_TCP)
		return 1;
	socket = sockets.sk_storage_get(sk, 0, 0);
	if (socket && socket->state == HELLO_PASSED)
		return 1;
	if (!socket && is_past_hello(sk))
		return 1;
	if (!read_segment(&segment, skb))
		return 1;
	if (socket && socket->state == HELLO_REFUSED) /* sent again */
		return 0;
	read_addresses(&segment, skb);
	reading = claim_reading();
	if (!reading) /* what is held back is sent again soon */
		return policy->closed == 0;
	if (hear(skb, sk, &socket, &segment, reading)) {
		wash(&segment, sizeof(segment));
		passes = decide(skb, sk, policy, socket, &segment, reading);
	}
	release_reading(reading);
	return passes;
}
