// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The record of an attempt to reach something, with what policy said of it.
 */
#include "events.h"
#include "policy.h"
#include "read.h"
#include "tables.h"

/* What a socket sent to already; a flood of datagrams is one record each destination. */
struct sent_key {
	u64 cookie;
	u8 address_be[16];
	u64 port_be;
};

/* A program that is refused and tries again at once is told so often a second, and counted then. */
#define REFUSALS_A_SECOND 32

struct refusals {
	u64 second;
	u64 count;
};

BPF_TABLE("lru_hash", u32, struct refusals, refusals, 4096);

/* An attempt to reach something, and what came of it. */
struct attempt {
	struct member member;
	struct sent_key to;
	u64 domain;
	struct ruling ruling;
	u32 pid;
	u8 protocol;
	u8 is_member;
	u8 is_named; /* a session's, and some rule that refuses by name is about it */
	u8 reserved;
	u64 netns;
};

static inline int is_flood(u32 pid)
{
	u64 second = bpf_ktime_get_boot_ns() >> 30;
	struct refusals fresh = {.second = second},
			*known = refusals.lookup_or_try_init(&pid, &fresh);

	if (!known)
		return 0;
	if (known->second != second) {
		known->second = second;
		known->count = 0;
	}
	return known->count++ >= REFUSALS_A_SECOND;
}

static inline void emit_connect(const struct attempt *attempt)
{
	u32 is_verdict = attempt->ruling.verdict >= VERDICT_WOULD_BLOCK;
	struct connect_record *out;

	if (is_verdict && is_flood(attempt->pid)) {
		count_lost(RECORD_CONNECT);
		return;
	}
	if (is_verdict)
		out = verdicts.ringbuf_reserve(sizeof(*out));
	else
		out = records.ringbuf_reserve(sizeof(*out));
	if (!out) {
		count_lost(RECORD_CONNECT);
		return;
	}
	fill_head(&out->head, &attempt->member, attempt->pid, RECORD_CONNECT, sizeof(*out));
	out->started_ns = attempt->member.started_ns;
	out->cookie = attempt->to.cookie;
	out->domain = attempt->domain;
	out->cgroup_id = bpf_get_current_cgroup_id();
	out->ruling = attempt->ruling;
	__builtin_memcpy(out->address_be, attempt->to.address_be, sizeof(out->address_be));
	out->uid = bpf_get_current_uid_gid();
	out->port_be = attempt->to.port_be;
	out->protocol = attempt->protocol;
	out->reserved = 0;
	bpf_get_current_comm(out->comm, sizeof(out->comm));
	if (is_verdict)
		verdicts.ringbuf_submit(out, 0);
	else
		records.ringbuf_submit(out, 0);
}

static inline void fill_actor(struct actor *actor, const struct policy *policy,
			      const struct attempt *attempt)
{
	copy_tools(actor->tools, &attempt->member);
	actor->uid = bpf_get_current_uid_gid();
	actor->paths = attempt->member.paths;
	if (policy->flags & (POLICY_CGROUP | POLICY_INSIDE))
		fill_place(policy, actor, (void *)bpf_get_current_task());
}

/*
 * UDP 443 of a session past the hellos that some rule would judge it by: not
 * where its tool or the address decides.
 */
static inline int is_evasive(const struct attempt *attempt, const struct policy *policy,
			     const struct judged *said, u64 holds)
{
	if (attempt->protocol != IPPROTO_UDP || attempt->to.port_be != HTTPS_PORT_BE)
		return 0;
	if (!attempt->member.tools[0] || verdict_of(said->choice) == VERDICT_BLOCK)
		return 0;
	if (said->choice != NO_CHOICE && !said->domain)
		return 0;
	return (holds & policy->named) != 0;
}

static inline void rule_attempt(struct attempt *attempt, const struct policy *policy,
				const struct actor *actor)
{
	struct address_key key = {.netns = attempt->netns};
	struct judged said = {};
	struct named *named;
	struct asked asked = {
	    .holds = conditions_of(policy, actor),
	    .now_ns = bpf_ktime_get_boot_ns(),
	    .canary = is_canary(),
	    .bank = bank_of(policy),
	    .port_be = attempt->to.port_be,
	    .has_address = 1,
	};

	copy_tools(asked.tools, &attempt->member);
	__builtin_memcpy(asked.address_be, attempt->to.address_be, sizeof(asked.address_be));
	__builtin_memcpy(key.address_be, attempt->to.address_be, sizeof(key.address_be));
	named = name_of(&key, actor->uid);
	attempt->is_named = is_more(attempt->member.tools[0]) & is_more(asked.holds & policy->named);
	if (named) {
		asked.is_trusted = named->trusted;
		ask_by_name(&asked, named->suffixes, named->labels);
	}
	wash(&asked, sizeof(asked));
	judge_reach(&said, &asked);
	attempt->domain = said.domain;
	if (is_evasive(attempt, policy, &said, asked.holds)) {
		attempt->ruling.policy = policy->generation;
		attempt->ruling.rule = RULE_QUIC;
		attempt->ruling.verdict = VERDICT_BLOCK;
		return;
	}
	/* Left to the hello. */
	if (said.domain && attempt->protocol == IPPROTO_TCP &&
	    attempt->to.port_be == HTTPS_PORT_BE && verdict_of(said.choice) >= VERDICT_ALERT)
		return;
	fill_ruling(&attempt->ruling, policy, said.choice);
}
