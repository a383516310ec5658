// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS answers on their way to a socket of a session, seen at the receiving
 * socket's cgroup: UDP from port 53, IPv4 and IPv6. The message goes to user
 * space as it is. Not seen: TCP, DoH, resolvers reached over a Unix socket.
 */
#include "dns.h"
#include "events.h"
#include "read.h"
#include "tables.h"

#define ETH_P_IP_BE __builtin_bswap16(0x0800)
#define ETH_P_IPV6_BE __builtin_bswap16(0x86dd)
#define UDP_BYTES 8

/* Offset of the header of this protocol in a packet, or 0. Extension headers are not looked into.
 */
static inline u64 transport_of(struct __sk_buff *skb, u8 protocol)
{
	u8 *start = (u8 *)(long)skb->data, *end = (u8 *)(long)skb->data_end;
	u64 offset;

	if (skb->protocol == ETH_P_IP_BE) {
		if (start + 20 > end || start[9] != protocol)
			return 0;
		offset = (start[0] & 15) * 4;
	} else if (skb->protocol == ETH_P_IPV6_BE) {
		if (start + 40 > end || start[6] != protocol)
			return 0;
		offset = 40;
	} else {
		return 0;
	}
	return offset;
}

/* Offset of the UDP header of a datagram from port 53, or 0. */
static inline u64 from_dns(struct __sk_buff *skb)
{
	u64 offset = transport_of(skb, IPPROTO_UDP);
	u8 *start = (u8 *)(long)skb->data, *end = (u8 *)(long)skb->data_end;

	if (!offset || start + offset + UDP_BYTES > end)
		return 0;
	if (*(u16 *)(start + offset) != DNS_PORT_BE)
		return 0;
	return offset;
}

static inline void fill_source(u8 *address_be, struct __sk_buff *skb)
{
	u32 ip4_be = 0;

	if (skb->protocol == ETH_P_IP_BE) {
		bpf_skb_load_bytes(skb, 12, &ip4_be, sizeof(ip4_be));
		map_ipv4(address_be, ip4_be);
	} else {
		bpf_skb_load_bytes(skb, 8, address_be, 16);
	}
}

struct answer {
	struct answer_record record;
	u8 message[ANSWER_BYTES];
};

static inline void emit_answer(struct __sk_buff *skb, struct asker *asker, u64 cookie, u64 offset,
			       u64 bytes)
{
	struct answer *out = records.ringbuf_reserve(sizeof(*out));

	if (!out) {
		count_lost(RECORD_ANSWER);
		return;
	}
	out->record.whole_bytes = bytes;
	bytes = one_to(bytes, ANSWER_BYTES);
	out->record.message_bytes = bytes;
	if (bpf_skb_load_bytes(skb, offset, out->message, bytes)) {
		records.ringbuf_discard(out, 0);
		count_lost(RECORD_ANSWER);
		return;
	}
	fill_head(&out->record.head, &asker->member, asker->pid, RECORD_ANSWER,
		  sizeof(out->record) + bytes);
	out->record.started_ns = asker->member.started_ns;
	out->record.cookie = cookie;
	fill_source(out->record.resolver_be, skb);
	records.ringbuf_submit(out, 0);
}

int seen_answer(struct __sk_buff *skb)
{
	u64 offset = from_dns(skb), cookie, bytes;
	struct asker *asker;

	if (!offset)
		return 1;
	cookie = bpf_get_socket_cookie(skb);
	asker = askers.lookup(&cookie);
	if (!asker)
		return 1;
	bytes = skb->len;
	if (bytes < offset + UDP_BYTES + DNS_HEADER_BYTES)
		return 1;
	emit_answer(skb, asker, cookie, offset + UDP_BYTES, bytes - offset - UDP_BYTES);
	return 1;
}
