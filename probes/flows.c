// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of a session's TCP connections, from the socket's side: when they
 * came up, how they ended, what went over them. A flow is followed from SYN_SENT,
 * where the connecting process is still the current one. Multipath subflows
 * have no cookie and are not told.
 */
#include "events.h"
#include "read.h"
#include "tables.h"
#include "undisturbed.h"

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_CLOSE 7
/* include/net/sock.h, enum sock_flags: the peer's FIN was taken. */
#define SOCK_DONE 1

BPF_HASH(flows, u64, struct flow, 16384);

static inline void open_flow(struct sock *sk, u64 cookie)
{
	u32 pid = current_pid();
	struct member *member = member_of(pid);
	struct flow flow = {};

	if (!member)
		return;
	flow.member = *member;
	flow.pid = pid;
	flow.opened_ns = bpf_ktime_get_boot_ns();
	flow.port_be = READ(sk, skc_dport);
	if (READ(sk, skc_family) == AF_INET)
		map_ipv4(flow.address_be, READ(sk, skc_daddr));
	else if (HAVE_sock_skc_v6_daddr)
		bpf_probe_read_kernel(flow.address_be, sizeof(flow.address_be), sk->skc_v6_daddr);
	if (flows.update(&cookie, &flow))
		count_lost(LOST_FLOW);
}

/* Payload alone: the kernel counts the peer's FIN as a byte, and what it sent again twice. */
static inline void fill_traffic(struct close_record *out, struct sock *sk)
{
	struct tcp_sock *tcp = (void *)sk;

	out->sent_bytes = READ(tcp, bytes_sent) - READ(tcp, bytes_retrans);
	out->received_bytes = READ(tcp, bytes_received);
	if (out->received_bytes && (READ(sk, skc_flags) >> SOCK_DONE & 1))
		out->received_bytes--;
	out->error = READ(sk, sk_err);
}

static inline void close_flow(struct sock *sk, u64 cookie, struct flow *found)
{
	struct flow flow = *found;
	struct close_record *out;

	flows.delete(&cookie);
	out = records.ringbuf_reserve(sizeof(*out));
	if (!out) {
		count_lost(RECORD_CLOSE);
		return;
	}
	fill_head(&out->head, &flow.member, flow.pid, RECORD_CLOSE, sizeof(*out));
	out->started_ns = flow.member.started_ns;
	out->cookie = cookie;
	out->opened_ns = flow.opened_ns;
	out->established_ns = flow.established_ns;
	__builtin_memcpy(out->address_be, flow.address_be, sizeof(out->address_be));
	out->port_be = flow.port_be;
	out->reserved = 0;
	fill_traffic(out, sk);
	records.ringbuf_submit(out, 0);
}

static inline void see_state(struct sock *sk, u32 state)
{
	u64 cookie = READ(sk, skc_cookie);
	struct flow *flow;

	/* connect.c makes the cookie of each socket that matters. */
	if (!cookie)
		return;
	if (state == TCP_SYN_SENT) {
		open_flow(sk, cookie);
		return;
	}
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE)
		return;
	flow = flows.lookup(&cookie);
	if (!flow)
		return;
	if (state == TCP_ESTABLISHED)
		flow->established_ns = bpf_ktime_get_boot_ns();
	else
		close_flow(sk, cookie, flow);
}

/* raw_tp/inet_sock_set_state: (const struct sock *sk, int oldstate, int newstate) */
int seen_state(struct bpf_raw_tracepoint_args *ctx)
{
	struct sock *sk = (void *)ctx->args[0];

	/* Not the thread's turn: an interrupt changes states of others amid its own. */
	if (begin(this_state(sk, ctx->args[2])))
		return 0;
	see_state(sk, ctx->args[2]);
	disturbed();
	return 0;
}
