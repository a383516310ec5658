// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is kept with a socket: who made it, for what it says first, and who asks
 * a resolver. It goes with the socket.
 */
#include "events.h"
#include "policy.h"
#include "read.h"
#include "tables.h"

/* Sockets whose first words are to be judged, with what is known of who made them. */
struct socket {
	struct member member;
	u64 domain; /* by which the address was known, 0: by none */
	u32 pid;
	u32 uid;
	u32 inside;
	u32 state; /* enum hello_state */
	u32 seq;   /* of the first byte */
	u32 have;  /* bytes in `hellos` */
	u64 netns;
};

enum hello_state {
	HELLO_NEW,
	HELLO_INCOMPLETE,
	HELLO_PASSED,
	HELLO_REFUSED,
};

BPF_SK_STORAGE(sockets, struct socket);

/* Sockets that ask a resolver, for learn.c: in whose name, and where. */
struct asking {
	u64 netns;
	u32 uid;
	u32 reserved;
};

BPF_SK_STORAGE(askings, struct asking);

static inline void refuse_for_room(struct ruling *ruling, const struct policy *policy)
{
	ruling->policy = policy->generation;
	ruling->rule = RULE_FULL;
	ruling->verdict = VERDICT_BLOCK;
}

/*
 * Has hello.c know who made a socket: whoever reaches a service by a name that it
 * alone says is told with what it is. What it knew of an earlier connection is over.
 * Whoever leaves no room for that is not let through where a name would be judged.
 */
static inline void attend(struct bpf_sock_addr *ctx, struct attempt *attempt,
			  const struct actor *actor, const struct policy *policy)
{
	struct socket *socket;

	if (!ctx->sk)
		return;
	socket = sockets.sk_storage_get(ctx->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket) {
		count_lost(LOST_JUDGED);
		if (attempt->is_named)
			refuse_for_room(&attempt->ruling, policy);
		return;
	}
	socket->member = attempt->member;
	socket->pid = attempt->pid;
	socket->uid = actor->uid;
	socket->inside = actor->inside;
	socket->domain = attempt->domain;
	socket->netns = attempt->netns;
	socket->state = HELLO_NEW;
}

/* Has learn.c know who asked: an answer counts for them, and where they are. */
static inline void note_asking(struct bpf_sock_addr *ctx, const struct attempt *attempt, u32 uid)
{
	struct asking *asking;

	if (attempt->to.port_be != DNS_PORT_BE || !ctx->sk)
		return;
	asking = askings.sk_storage_get(ctx->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!asking)
		return;
	asking->netns = attempt->netns;
	asking->uid = uid;
}
