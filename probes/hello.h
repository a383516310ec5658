/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a connection says first, as far as it names whom it is for: a TLS
 * ClientHello with its server_name (RFC 8446, 4.1.2; RFC 6066, 3), or what is
 * asked of a proxy (RFC 9112, 3.2.2 and 3.2.3): "CONNECT host:port", or a
 * request with its target in full, "GET http://host/".
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
#define CONNECT_BYTES 8
/* "http://" likewise, and what makes its letters small. */
#define SCHEME 0x2f2f3a70747468ULL
#define SCHEME_SMALL 0x20202020ULL
#define SCHEME_BYTES 7
/* Of a method; PROPPATCH has 9. */
#define METHOD_BYTES 10

/* The target of a request that has it in full, behind a method and a blank. */
static inline enum hello_found find_target(struct reading *reading, const __u8 *text, __u64 bytes)
{
	for (__u64 i = 0; i <= METHOD_BYTES; i++) {
		__u64 scheme = 0;

		FORGET(bytes);
		if (i >= bytes)
			return FOUND_PART;
		if (i && text[i] == ' ') {
			if (i + 1 + SCHEME_BYTES > bytes)
				return FOUND_PART;
			__builtin_memcpy(&scheme, text + i + 1, SCHEME_BYTES);
			if ((scheme | SCHEME_SMALL) != SCHEME)
				return FOUND_NOTHING;
			note(&reading->name_at, i + 1 + SCHEME_BYTES);
			note(&reading->name_bytes, HOST_BYTES);
			return FOUND_PROXY;
		}
		if (text[i] < 'A' || text[i] > 'Z')
			return FOUND_NOTHING;
	}
	return FOUND_NOTHING;
}

static inline enum hello_found find_hello(struct reading *reading, const __u8 *text, __u64 bytes)
{
	if (text[0] == 0x16) /* ContentType: handshake */
		return find_sni(reading, text, bytes);
	if (bytes < CONNECT_BYTES || *(const __u64 *)text != CONNECT_WORD)
		return find_target(reading, text, bytes);
	note(&reading->name_at, CONNECT_BYTES);
	note(&reading->name_bytes, HOST_BYTES);
	return FOUND_PROXY;
}

/*
 * Reads the name to its end; behind the colon of a request stands more than a
 * port. Returns 0 where that is not there.
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
		if (ends_host(letter)) {
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
