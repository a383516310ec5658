/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a connection says first, as far as it names whom it is for: a TLS
 * ClientHello with its server_name (RFC 8446, 4.1.2; RFC 6066, 3), or what is
 * asked of a proxy (RFC 9112, 3.2.2 and 3.2.3): "CONNECT host:port", or a
 * request with its target in full, "GET http://host/".
 */
#ifndef PROBES_HELLO_H
#define PROBES_HELLO_H

#include "request.h"

static inline int is_name(__u64 found)
{
	return found >= FOUND_SNI && found <= FOUND_PROXY;
}

/* "CONNECT " in the order in which it is read. */
#define CONNECT_WORD 0x205443454e4e4f43ULL
#define CONNECT_BYTES 8
/* More of them than a client has a use for; servers pass over them (RFC 9112, 3). */
#define BLANKS 8

static inline enum hello_found find_hello(struct reading *reading, const __u8 *text, __u64 bytes)
{
	__u64 at = CONNECT_BYTES;

	if (text[0] == 0x16) /* ContentType: handshake */
		return find_sni(reading, text, bytes);
	if (text[0] == '\r' || text[0] == '\n') /* nothing but empty lines so far */
		return FOUND_PART;
	if (bytes < CONNECT_BYTES || *(const __u64 *)text != CONNECT_WORD)
		return find_target(reading, text, bytes);
	for (int blanks = 0; blanks < BLANKS; blanks++)
		at += byte_at(text, at) == ' ';
	note(&reading->name_at, at);
	note(&reading->name_bytes, HOST_BYTES);
	return FOUND_PROXY;
}

/*
 * Reads the name to its end; behind the colon of a request stands more than a
 * port. Returns 0 where that is not there.
 */
static inline int read_host(struct reading *reading)
{
	const __u8 *text = reading->text;

	begin_host(&reading->host);
	for (__u64 i = 0; i < HOST_BYTES; i++) {
		__u64 at = recall(&reading->name_at) + i, bytes = recall(&reading->bytes), letter,
		      length = recall(&reading->name_bytes);

		if (i >= length)
			break;
		if (at >= bytes)
			return 0;
		letter = byte_at(text, at);
		if (ends_host(letter)) {
			if (letter == ':' && length == HOST_BYTES && at + 1 + PORT_DIGITS >= bytes)
				return 0;
			note(&reading->name_bytes, i);
			break;
		}
		add_byte(&reading->host, letter, is_zero(letter ^ '.'));
	}
	if (recall(&reading->name_bytes) >= HOST_BYTES) /* too long for a name: none */
		begin_host(&reading->host);
	if (reading->host.label !=
	    (HASH_SEED ^ reading->host.seed)) /* not behind a dot at the end */
		end_label(&reading->host);
	end_host(&reading->host);
	return 1;
}

#endif
