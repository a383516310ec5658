/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a CONNECT leads: the port behind its name, and the address that the
 * name may be.
 */
#ifndef PROBES_TARGET_H
#define PROBES_TARGET_H

#include "reading.h"

/* "255.255.255.255" */
#define IP4_TEXT_BYTES 15
#define NO_IP4 (~0ULL)
/* Digits of a port. */
#define PORT_DIGITS 5

/* The port in digits at `at`; 0 where there is none. */
static inline __u64 read_port(const __u8 *text, __u64 at)
{
	__u64 port = 0;

	for (int i = 0; i < PORT_DIGITS; i++) {
		__u64 digit = byte_at(text, at + i) - '0';

		if (digit > 9)
			break;
		port = port * 10 + digit;
	}
	return port;
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
		digits++;
		if (value > 255)
			return NO_IP4;
	}
	return dots == 3 && digits ? ip4 << 8 | value : NO_IP4;
}

#endif
