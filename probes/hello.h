/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a connection says first, as far as it names whom it is for: a TLS
 * ClientHello with its server_name (RFC 8446, 4.1.2; RFC 6066, 3), or the
 * CONNECT line to a proxy (RFC 9112, 3.2.3).
 */
#ifndef PROBES_HELLO_H
#define PROBES_HELLO_H

#include "target.h"
#include "tls.h"

static inline int is_name(__u64 found)
{
	return found >= FOUND_SNI && found <= FOUND_PROXY;
}

/* "CONNECT " in the order in which it is read. */
#define CONNECT_WORD 0x205443454e4e4f43ULL

static inline enum hello_found find_hello(struct reading *reading, const __u8 *text, __u64 bytes)
{
	const __u64 *words = (const __u64 *)text;

	if (text[0] == 0x16) /* ContentType: handshake */
		return find_sni(reading, text, bytes);
	if (text[0] != 'C')
		return FOUND_NOTHING;
	if (bytes < 8)
		return FOUND_PART;
	if (*words != CONNECT_WORD)
		return FOUND_NOTHING;
	note(&reading->name_at, 8);
	note(&reading->name_bytes, HOST_BYTES);
	return FOUND_PROXY;
}

/*
 * Reads the name to its end: of a CONNECT that is a colon or a space, and behind
 * a colon stands more than a port. Returns 0 where that is not there.
 */
static inline int read_host(struct reading *reading, const __u8 *text, __u64 bytes)
{
	begin_host(&reading->host);
	for (__u64 i = 0; i < HOST_BYTES; i++) {
		__u64 at = recall(&reading->name_at) + i, letter,
		      length = recall(&reading->name_bytes);

		if (i >= length)
			break;
		if (at >= bytes)
			return 0;
		letter = byte_at(text, at);
		if (letter == ':' || letter <= ' ') {
			if (letter == ':' && length == HOST_BYTES && at + 1 + PORT_DIGITS >= bytes)
				return 0;
			note(&reading->name_bytes, i);
			break;
		}
		if (letter == '.')
			end_label(&reading->host);
		else
			add_letter(&reading->host, letter);
	}
	if (recall(&reading->name_bytes) >= HOST_BYTES) /* too long for a name: none */
		begin_host(&reading->host);
	if (reading->host.label != HASH_SEED) /* not behind a dot at the end */
		end_label(&reading->host);
	end_host(&reading->host);
	return 1;
}

#endif
