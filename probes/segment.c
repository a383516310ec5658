// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments of TCP on their way out, and the name in the first that is said.
 */
#include "events.h"
#include "hello.h"
#include "read.h"
#include "tables.h"

/* Line ends before a request that are passed over; a power of two. */
#define EMPTY_BYTES 8

/* A hello that came in part. Storage of sockets is bounded below 8 KiB by newer kernels. */
struct hello_text {
	u8 text[TEXT_BYTES];
};

BPF_SK_STORAGE(hellos, struct hello_text);

/* The segment at hand, and whose it is. */
struct segment {
	u64 offset; /* of its data */
	u64 bytes;
	u64 cookie;
	u32 seq;
	u32 found; /* enum hello_found; the name is at the front of reading->text then */
	u16 remote_port_be;
	u16 local_port_be;
	u16 target_port_be;
	u8 is_literal; /* a CONNECT to an address */
	u8 goes_on;    /* what came in part before */
	u8 remote_be[16];
	u8 local_be[16];
	u8 target_be[16]; /* where that leads, or the remote address */
};

/* Of a connection that the other side has answered in part, the first words are over. */
static inline int is_past_hello(struct bpf_sock *sk)
{
	struct bpf_tcp_sock *tcp = bpf_tcp_sock(sk);

	/* RFC 4898: the octet of the SYN counts. */
	return !tcp || tcp->bytes_acked > 1;
}

static inline int read_segment(struct segment *segment, struct __sk_buff *skb)
{
	u64 start = transport_of(skb, IPPROTO_TCP);
	u8 head[20];

	if (!start || bpf_skb_load_bytes(skb, start, head, sizeof(head)))
		return 0;
	segment->offset = start + (head[12] >> 4) * 4;
	if (skb->len <= segment->offset)
		return 0;
	segment->bytes = skb->len - segment->offset;
	/* Data can come with the SYN, which has a number of its own: TCP fast open. */
	segment->seq = __builtin_bswap32(*(u32 *)(head + 4)) + (head[13] >> 1 & 1);
	segment->local_port_be = *(u16 *)head;
	segment->remote_port_be = *(u16 *)(head + 2);
	segment->target_port_be = segment->remote_port_be;
	return 1;
}

static inline void read_addresses(struct segment *segment, struct __sk_buff *skb)
{
	u32 ip4_be[2] = {};

	if (skb->protocol == ETH_P_IP_BE) {
		bpf_skb_load_bytes(skb, 12, ip4_be, sizeof(ip4_be));
		map_ipv4(segment->local_be, ip4_be[0]);
		map_ipv4(segment->remote_be, ip4_be[1]);
	} else {
		bpf_skb_load_bytes(skb, 8, segment->local_be, 16);
		bpf_skb_load_bytes(skb, 24, segment->remote_be, 16);
	}
	__builtin_memcpy(segment->target_be, segment->remote_be, sizeof(segment->target_be));
}

/* Where a request leads, whose name is at the front. An address is judged as such. */
static inline void read_target(struct segment *segment, struct reading *reading, u64 bytes)
{
	u64 ip4 = read_ip4(reading->text, bytes), port = HTTP_PORT;

	if (byte_at(reading->text, bytes) == ':' && !read_port(reading->text, bytes + 1, &port)) {
		/* "http://name:443@another/" */
		begin_host(&reading->host);
		end_host(&reading->host);
		return;
	}
	segment->target_port_be = __builtin_bswap16(port);
	if (ip4 == NO_IP4)
		return;
	segment->is_literal = 1;
	map_ipv4(segment->target_be, __builtin_bswap32(ip4));
}

/* Servers pass over an empty line before a request (RFC 9112, 2.2). */
static inline void skip_lines(struct reading *reading)
{
	u64 bytes = recall(&reading->bytes), empty = 0;

	if (reading->text[0] != '\r' && reading->text[0] != '\n')
		return;
	for (u64 i = 0; i < EMPTY_BYTES; i++) {
		u8 letter = reading->text[i];

		if (letter != '\r' && letter != '\n')
			break;
		empty = i + 1;
	}
	if (empty >= bytes)
		return;
	note(&reading->bytes, bytes - empty);
	bpf_probe_read_kernel(reading->text, TEXT_BYTES,
			      reading->text + (empty & (EMPTY_BYTES * 2 - 1)));
}

/* Reads what there is, and brings the name to the front of reading->text. */
static inline void read_hello(struct segment *segment, struct reading *reading)
{
	const u8 *text = reading->text;
	u64 bytes, found;

	skip_lines(reading);
	reading->host.seed = state_of(STATE_SEED);
	bytes = recall(&reading->bytes);
	found = find_hello(reading, text, bytes);

	FORGET(found);
	note(&reading->left, found);
	segment->found = recall(&reading->left);
	if (!is_name(segment->found))
		return;
	if (!read_host(reading)) {
		segment->found = FOUND_PART;
		return;
	}
	/* The port may stand behind the longest name. */
	bpf_probe_read_kernel(reading->text, HELLO_BYTES + 1 + PORT_DIGITS,
			      text + (recall(&reading->name_at) & (TEXT_BYTES - 1)));
	if (segment->found == FOUND_PROXY && recall(&reading->name_bytes) < HOST_BYTES)
		read_target(segment, reading, recall(&reading->name_bytes));
}

/* The data of the segment goes to the front of `text`. */
static inline int load_first(struct __sk_buff *skb, struct segment *segment,
			     struct reading *reading)
{
	u64 bytes = one_to(segment->bytes, TEXT_BYTES);

	note(&reading->bytes, bytes);
	return bpf_skb_load_bytes(skb, segment->offset, reading->text, bytes);
}

/* Keeps a hello that is not whole, for the segments to come. */
static inline int keep_part(struct __sk_buff *skb, struct bpf_sock *sk, struct socket *socket,
			    struct segment *segment)
{
	struct hello_text *kept = hellos.sk_storage_get(sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	u64 bytes = one_to(segment->bytes, TEXT_BYTES);

	if (!kept || bpf_skb_load_bytes(skb, segment->offset, kept->text, bytes))
		return -1;
	socket->seq = segment->seq;
	socket->have = bytes;
	socket->state = HELLO_INCOMPLETE;
	return 0;
}

/* Appends the segment to what is kept, and brings all of it. Returns 0 where there is nothing new.
 */
static inline int load_parts(struct __sk_buff *skb, struct bpf_sock *sk, struct socket *socket,
			     struct segment *segment, struct reading *reading)
{
	struct hello_text *kept = hellos.sk_storage_get(sk, 0, 0);
	u64 have = socket->have, known = have - (u32)(segment->seq - socket->seq);
	u64 bytes = segment->bytes;

	/* Not a segment before its turn, nor one that was sent again. */
	if (!kept || known > have || bytes <= known)
		return 0;
	have = at_most(have, TEXT_BYTES);
	bytes = one_to(bytes - known, TEXT_BYTES);
	if (bpf_probe_read_kernel(reading->text, TEXT_BYTES, kept->text))
		return 0;
	if (bpf_skb_load_bytes(skb, segment->offset + known, reading->text + have, bytes))
		return 0;
	socket->have = have + bytes;
	note(&reading->bytes, have + bytes < TEXT_BYTES ? have + bytes : TEXT_BYTES);
	return !bpf_probe_read_kernel(kept->text, TEXT_BYTES, reading->text);
}
