// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where sockets go, as the kernel copied the address: connect(2), and sends to
 * an address without it, by any system call, io_uring and TCP fast open
 * included. Told for sessions, judged for everybody. Seen from the socket's
 * cgroup, which is that of the process at socket(2). Raw and packet sockets
 * pass elsewhere.
 */
#include "events.h"
#include "policy.h"
#include "read.h"
#include "tables.h"

#define LOOPBACK_BE __builtin_bswap32(0x7f000001)
/* The third word of ::ffff:0:0/96. */
#define MAPPED_BE __builtin_bswap32(0xffff)

/* The verdict that was told, and one: it may be another one later. */
BPF_TABLE("lru_hash", struct sent_key, u8, sent, 16384);

/* Sockets that asked a resolver, for answers.c. An answer comes within seconds or never. */
struct asker {
	struct member member;
	u32 pid;
	u32 reserved;
};

BPF_TABLE("lru_hash", u64, struct asker, askers, 8192);

static inline void remember_asker(const struct attempt *attempt)
{
	struct asker asker = {};

	asker.member = attempt->member;
	asker.pid = attempt->pid;
	askers.update((u64 *)&attempt->to.cookie, &asker);
}

/* Tells one destination of one socket. Datagrams are judged one by one, and told once a verdict. */
static inline void tell(const struct attempt *attempt)
{
	u8 told = attempt->ruling.verdict + 1, *before;

	if (attempt->protocol == IPPROTO_UDP) {
		before = sent.lookup((struct sent_key *)&attempt->to);
		if (before && *before == told)
			return;
		sent.update((struct sent_key *)&attempt->to, &told);
	}
	emit_connect(attempt);
}

/* Whether somebody of no session has to be looked at: policy is about everybody, or it is the
 * sensor's own proof. */
static inline int concerns_strangers(const struct policy *policy)
{
	if (!policy)
		return 0;
	return (policy->flags & (POLICY_RANGE | POLICY_NAME)) || is_canary();
}

/*
 * Judges, and tells of it where it is a session's, or more than to let it pass.
 * What rests on a name that was looked up is on port 443 left to what the
 * connection says first (hello.c): sites share addresses.
 */
static inline int judge_attempt(struct bpf_sock_addr *ctx, struct attempt *attempt,
				struct policy *policy)
{
	struct actor actor = {};

	if (policy) {
		wash(attempt, sizeof(*attempt));
		attempt->netns = bpf_get_netns_cookie(ctx);
		fill_actor(&actor, policy, attempt);
		wash(&actor, sizeof(actor));
		rule_attempt(attempt, policy, &actor);
		if (attempt->ruling.verdict != VERDICT_BLOCK && (policy->flags & POLICY_NAME)) {
			note_asking(ctx, attempt, actor.uid);
			if (attempt->protocol == IPPROTO_TCP)
				attend(ctx, attempt, &actor, policy);
		}
		if (attempt->ruling.verdict == VERDICT_BLOCK)
			attempt->ruling.enforcement = ENFORCED_CGROUP;
	}
	/* glibc sorts addresses by connecting datagram sockets to port 0 (RFC 6724): no traffic
	 * yet. */
	if (!attempt->to.port_be && attempt->protocol == IPPROTO_UDP)
		return attempt->ruling.verdict != VERDICT_BLOCK;
	if (attempt->is_member || attempt->ruling.verdict >= VERDICT_ALERT)
		tell(attempt);
	return attempt->ruling.verdict != VERDICT_BLOCK;
}

static inline int judge_connect(struct bpf_sock_addr *ctx, struct attempt *attempt)
{
	struct policy *policy = policy_in_force();
	u32 pid = current_pid();
	struct member *member = member_of(pid);

	if (likely(!member && !concerns_strangers(policy)))
		return 1;
	attempt->pid = pid;
	attempt->protocol = ctx->protocol;
	attempt->to.port_be = ctx->user_port;
	attempt->to.cookie = bpf_get_socket_cookie(ctx);
	if (member) {
		attempt->member = *member;
		attempt->is_member = 1;
		if (attempt->protocol == IPPROTO_UDP && attempt->to.port_be == DNS_PORT_BE)
			remember_asker(attempt);
	} else {
		fill_stranger(&attempt->member, (void *)bpf_get_current_task());
	}
	return judge_attempt(ctx, attempt, policy);
}

/* For cgroup/connect4 and sendmsg4. */
int seen_connect4(struct bpf_sock_addr *ctx)
{
	struct attempt attempt = {};

	/* 0.0.0.0 and :: are this host (net/ipv4/route.c, net/ipv6/tcp_ipv6.c). */
	map_ipv4(attempt.to.address_be, ctx->user_ip4 ? ctx->user_ip4 : LOOPBACK_BE);
	return judge_connect(ctx, &attempt);
}

/* For cgroup/connect6 and sendmsg6. */
int seen_connect6(struct bpf_sock_addr *ctx)
{
	struct attempt attempt = {};
	u32 *words = (u32 *)attempt.to.address_be;

	words[0] = ctx->user_ip6[0];
	words[1] = ctx->user_ip6[1];
	words[2] = ctx->user_ip6[2];
	words[3] = ctx->user_ip6[3];
	if (!(words[0] | words[1] | words[3]) && (!words[2] || words[2] == MAPPED_BE))
		words[3] = words[2] ? LOOPBACK_BE : __builtin_bswap32(1);
	return judge_connect(ctx, &attempt);
}
