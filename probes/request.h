/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A request to a proxy that has its target in full: "GET http://host/" (RFC 9112, 3.2.2).
 */
#ifndef PROBES_REQUEST_H
#define PROBES_REQUEST_H

#include "target.h"
#include "tls.h"

/* "http://" in the order in which it is read, and what makes its letters small. */
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

#endif
