// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where a session's sockets go, as the kernel copied the address: connect(2),
 * and sends to an address without it, by any system call, io_uring and TCP
 * fast open included. Seen from the socket's cgroup, which is that of the
 * process at socket(2). Raw and packet sockets pass elsewhere.
 */
#include "events.h"
#include "read.h"
#include "tables.h"

#define DNS_PORT_BE __builtin_bswap16(53)

/* What a socket sent to already; a flood of datagrams is one record each destination. */
struct sent_key {
	u64 cookie;
	u8 address_be[16];
	u64 port_be;
};

BPF_TABLE("lru_hash", struct sent_key, u8, sent, 16384);

/* Sockets that asked a resolver, for answers.c. An answer comes within seconds or never. */
struct asker {
	struct member member;
	u32 pid;
	u32 reserved;
};

BPF_TABLE("lru_hash", u64, struct asker, askers, 8192);

static inline void emit_connect(struct member *member, u32 pid, u64 cookie, struct sent_key *to,
				u8 protocol, u8 op)
{
	struct connect_record *out = records.ringbuf_reserve(sizeof(*out));

	if (!out) {
		count_lost(RECORD_CONNECT);
		return;
	}
	fill_head(&out->head, member, pid, RECORD_CONNECT, sizeof(*out));
	out->started_ns = member->started_ns;
	out->cookie = cookie;
	__builtin_memcpy(out->address_be, to->address_be, sizeof(out->address_be));
	out->uid = bpf_get_current_uid_gid();
	out->port_be = to->port_be;
	out->protocol = protocol;
	out->op = op;
	records.ringbuf_submit(out, 0);
}

static inline void remember_asker(struct member *member, u32 pid, u64 cookie)
{
	struct asker asker = {};

	asker.member = *member;
	asker.pid = pid;
	askers.update(&cookie, &asker);
}

/* Tells one destination of one socket. sendmsg runs for each datagram: told once. */
static inline void tell(struct bpf_sock_addr *ctx, struct member *member, u32 pid,
			struct sent_key *to, u8 op)
{
	u8 one = 1;

	to->port_be = ctx->user_port;
	/* glibc sorts addresses by connecting datagram sockets to port 0 (RFC 6724): no traffic. */
	if (!to->port_be && ctx->protocol == IPPROTO_UDP)
		return;
	to->cookie = bpf_get_socket_cookie(ctx);
	if (ctx->protocol == IPPROTO_UDP && to->port_be == DNS_PORT_BE)
		remember_asker(member, pid, to->cookie);
	if (op == OP_SENDMSG) {
		if (sent.lookup(to))
			return;
		sent.update(to, &one);
	}
	emit_connect(member, pid, to->cookie, to, ctx->protocol, op);
}

static inline int judge4(struct bpf_sock_addr *ctx, u8 op)
{
	u32 pid = current_pid();
	struct member *member = member_of(pid);
	struct sent_key to = {};

	if (!member)
		return 1;
	map_ipv4(to.address_be, ctx->user_ip4);
	tell(ctx, member, pid, &to, op);
	return 1;
}

static inline int judge6(struct bpf_sock_addr *ctx, u8 op)
{
	u32 pid = current_pid();
	struct member *member = member_of(pid);
	struct sent_key to = {};
	u32 *words = (u32 *)to.address_be;

	if (!member)
		return 1;
	words[0] = ctx->user_ip6[0];
	words[1] = ctx->user_ip6[1];
	words[2] = ctx->user_ip6[2];
	words[3] = ctx->user_ip6[3];
	tell(ctx, member, pid, &to, op);
	return 1;
}

int seen_connect4(struct bpf_sock_addr *ctx)
{
	return judge4(ctx, OP_CONNECT);
}
int seen_connect6(struct bpf_sock_addr *ctx)
{
	return judge6(ctx, OP_CONNECT);
}
int seen_sendmsg4(struct bpf_sock_addr *ctx)
{
	return judge4(ctx, OP_SENDMSG);
}
int seen_sendmsg6(struct bpf_sock_addr *ctx)
{
	return judge6(ctx, OP_SENDMSG);
}
