// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The record of what a connection said first.
 */
#include "events.h"
#include "hello.h"
#include "read.h"
#include "tables.h"

static inline void put_words(struct hello_record *out, const struct segment *segment,
			     struct reading *reading)
{
	u64 bytes = recall(&reading->name_bytes);

	out->source = HELLO_NOTHING;
	out->name_bytes = 0;
	out->cut = 0;
	if (!is_name(segment->found))
		return;
	out->source = segment->found == FOUND_SNI ? HELLO_SNI : HELLO_PROXY;
	out->cut = bytes > HELLO_BYTES;
	out->name_bytes = at_most(bytes, HELLO_BYTES);
	bpf_probe_read_kernel(out->name, HELLO_BYTES, reading->text);
}

static inline void emit_hello(struct __sk_buff *skb, const struct socket *socket,
			      const struct segment *segment, struct reading *reading,
			      const struct ruling *ruling, u64 domain)
{
	u32 is_verdict = ruling->verdict >= VERDICT_WOULD_BLOCK;
	struct hello_record *out;

	if (is_verdict)
		out = verdicts.ringbuf_reserve(sizeof(*out));
	else
		out = records.ringbuf_reserve(sizeof(*out));
	if (!out) {
		count_lost(RECORD_HELLO);
		return;
	}
	fill_head(&out->head, &socket->member, socket->pid, RECORD_HELLO, sizeof(*out));
	out->started_ns = socket->member.started_ns;
	out->cookie = bpf_get_socket_cookie(skb);
	out->domain = domain;
	out->cgroup_id = bpf_skb_cgroup_id(skb);
	out->ruling = *ruling;
	__builtin_memcpy(out->remote_be, segment->remote_be, sizeof(out->remote_be));
	__builtin_memcpy(out->local_be, segment->local_be, sizeof(out->local_be));
	out->uid = socket->uid;
	out->remote_port_be = segment->remote_port_be;
	out->local_port_be = segment->local_port_be;
	out->target_port_be = segment->target_port_be;
	out->reserved = 0;
	put_words(out, segment, reading);
	if (is_verdict)
		verdicts.ringbuf_submit(out, 0);
	else
		records.ringbuf_submit(out, 0);
}
