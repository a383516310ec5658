/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a request to a proxy leads: the port behind its name, and the address
 * that the name may be.
 */
#ifndef PROBES_TARGET_H
#define PROBES_TARGET_H

#include "reading.h"

/* "255.255.255.255" */
#define IP4_TEXT_BYTES 15
#define NO_IP4 (~0ULL)
/* Digits of a port, and the port of a request that names none (RFC 9110, 4.2.1). */
#define PORT_DIGITS 5
#define HTTP_PORT 80

/* Where a host's name ends: control characters, blank, '#', '/', ':' and '?'. */
#define HOST_ENDS (((1ULL << 33) - 1) | 1ULL << '#' | 1ULL << '/' | 1ULL << ':' | 1ULL << '?')

static inline int ends_host(__u64 letter)
{
	return (HOST_ENDS >> (letter & 63)) & is_zero(letter >> 6);
}

/* The port in digits at `at`, 0 where there is none. Returns 0 if something else follows. */
static inline int read_port(const __u8 *text, __u64 at, __u64 *port)
{
	*port = 0;
	for (int i = 0; i <= PORT_DIGITS; i++) {
		__u64 letter = byte_at(text, at + i);

		if (letter - '0' > 9)
			return ends_host(letter);
		*port = *port * 10 + letter - '0';
	}
	return 0;
}

/*
 * The IPv4 address that the first bytes of `text` are, in host order, or NO_IP4.
 * One with a zero in front would be octal to some (inet_aton), and is none here.
 */
static inline __u64 read_ip4(const __u8 *text, __u64 bytes)
{
	__u64 ip4 = 0, value = 0, digits = 0, dots = 0;

	if (bytes > IP4_TEXT_BYTES)
		return NO_IP4;
	for (__u64 i = 0; i < IP4_TEXT_BYTES; i++) {
		__u64 letter;

		FORGET(bytes);
		if (i >= bytes)
			break;
		letter = text[i];
		if (letter == '.' && digits) {
			ip4 = ip4 << 8 | value;
			value = 0;
			digits = 0;
			dots++;
			continue;
		}
		letter -= '0';
		if (letter > 9 || (digits && !value))
			return NO_IP4;
		value = value * 10 + letter;
		digits = 1;
		if (value > 255)
			return NO_IP4;
	}
	return dots == 3 && digits ? ip4 << 8 | value : NO_IP4;
}

#endif
