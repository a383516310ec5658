/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The server_name of a TLS ClientHello (RFC 8446, 4.1.2; RFC 6066, 3).
 */
#ifndef PROBES_TLS_H
#define PROBES_TLS_H

#include "reading.h"

/* Extensions that are passed over on the way to the name; clients send up to 20. */
#define EXTENSIONS 40

enum hello_found {
	FOUND_NOTHING,	  /* no name is to come */
	FOUND_PART,	  /* more has to come first */
	FOUND_SNI,	  /* `name_at` and `name_bytes` have it */
	FOUND_PROXY,	  /* same; a port follows */
	FOUND_UNREADABLE, /* a hello in several TLS records */
};

/* Passes over what stands before the extensions; returns where they are, 0 if more has to come. */
static inline __u64 before_extensions(struct reading *reading, const __u8 *text, __u64 bytes)
{
	__u64 at = 44 + byte_at(text, 43); /* record 5, handshake 4, version 2, random 32, id */

	at += 2 + word_at(text, at); /* cipher suites */
	if (at >= bytes)
		return 0;
	note(&reading->at, at);
	at = recall(&reading->at);
	if (at >= TEXT_BYTES)
		return 0;
	at += 1 + byte_at(text, at) + 2; /* compression methods, length of the extensions */
	note(&reading->at, at);
	return 1;
}

static inline enum hello_found find_name(struct reading *reading, const __u8 *text, __u64 bytes,
					 __u64 end)
{
	for (__u64 i = 0; i < EXTENSIONS; i++) {
		__u64 at = recall(&reading->at), type, extension_bytes, name_bytes;

		FORGET(end);
		if (at + 4 > end)
			return FOUND_NOTHING;
		if (at + 4 > bytes || at >= TEXT_BYTES)
			return FOUND_PART;
		type = word_at(text, at);
		extension_bytes = word_at(text, at + 2);
		at += 4;
		if (type != 0) {
			note(&reading->at, at + extension_bytes);
			continue;
		}
		if (at + extension_bytes > end)
			return FOUND_NOTHING;
		if (at + extension_bytes > bytes)
			return FOUND_PART;
		name_bytes = word_at(text, at + 3);
		if (name_bytes + 5 > extension_bytes || name_bytes >= HOST_BYTES)
			return FOUND_NOTHING;
		if (byte_at(text, at + 2) != 0) /* name_type: host_name */
			return FOUND_NOTHING;
		note(&reading->name_bytes, name_bytes);
		note(&reading->name_at, at + 5);
		return FOUND_SNI;
	}
	return FOUND_NOTHING;
}

static inline enum hello_found find_sni(struct reading *reading, const __u8 *text, __u64 bytes)
{
	__u64 end;

	if (bytes < 6)
		return FOUND_PART;
	/* The version of the record, and HandshakeType: client_hello */
	if (byte_at(text, 1) != 3 || byte_at(text, 5) != 1)
		return FOUND_NOTHING;
	if (bytes < 46)
		return FOUND_PART;
	if (word_at(text, 3) < word_at(text, 7) + 4 || byte_at(text, 6))
		return FOUND_UNREADABLE;
	end = word_at(text, 7) + 9;
	/* A hello without extensions ends where they would be. */
	if (!before_extensions(reading, text, bytes))
		return bytes >= end ? FOUND_NOTHING : FOUND_PART;
	return find_name(reading, text, bytes, end);
}

#endif
