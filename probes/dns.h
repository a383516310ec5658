/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS answers (RFC 1035): the name that was asked for, and the addresses that
 * were given, whatever chain of names leads to them.
 */
#ifndef PROBES_DNS_H
#define PROBES_DNS_H

#include "reading.h"

#define DNS_HEADER_BYTES 12
/* Header, the root as name, type and class. */
#define DNS_LEAST_BYTES 17
/* Labels and records of one answer; 30 addresses are 60 steps. */
#define DNS_STEPS 96

#define DNS_TYPE_A 1
#define DNS_TYPE_AAAA 28
#define DNS_CLASS_IN 1

enum dns_step {
	DNS_END,
	DNS_ON,	     /* something else was passed over */
	DNS_ADDRESS, /* `name_at` has where, `name_bytes` how many bytes */
};

/* Reads up to the answers. Returns 0 for anything but an answer without an error to one question.
 */
static inline int read_question(struct reading *reading)
{
	const __u8 *text = reading->text;
	__u64 left_of_label = 0;

	/* 4.1.1: QR set, OPCODE and RCODE 0 */
	if ((byte_at(text, 2) & 0xf8) != 0x80 || (byte_at(text, 3) & 15))
		return 0;
	if (word_at(text, 4) != 1 || !word_at(text, 6))
		return 0;
	note(&reading->left, word_at(text, 6));
	note(&reading->at, 0);
	begin_host(&reading->host);
	for (__u64 i = 0; i < HOST_BYTES; i++) {
		__u64 byte = text[DNS_HEADER_BYTES + i];

		if (left_of_label) {
			left_of_label--;
			add_byte(&reading->host, byte, 0);
			continue;
		}
		if (i)
			end_label(&reading->host);
		if (!byte) {
			note(&reading->at, DNS_HEADER_BYTES + i + 5); /* type and class follow */
			break;
		}
		if (byte > 63) /* a question's name is not compressed */
			return 0;
		left_of_label = byte;
	}
	end_host(&reading->host);
	return recall(&reading->at) != 0;
}

/* Passes over a label, or the rest of a record. */
static inline enum dns_step read_answer(struct reading *reading)
{
	const __u8 *text = reading->text;
	__u64 at = recall(&reading->at), left = recall(&reading->left), first, type, bytes;

	if (!left || at + 1 >= recall(&reading->bytes))
		return DNS_END;
	first = byte_at(text, at);
	if (first && first < 64) {
		note(&reading->at, at + 1 + first);
		return DNS_ON;
	}
	at += first ? 2 : 1; /* a pointer (4.1.4), or the root */
	type = word_at(text, at);
	bytes = word_at(text, at + 8);
	note(&reading->at, at + 10 + bytes);
	note(&reading->left, left - 1);
	note(&reading->name_at, at + 10);
	note(&reading->name_bytes, bytes);
	if (at + 10 + bytes > recall(&reading->bytes))
		return DNS_END;
	if (word_at(text, at + 2) != DNS_CLASS_IN)
		return DNS_ON;
	if ((type == DNS_TYPE_A && bytes == 4) || (type == DNS_TYPE_AAAA && bytes == 16))
		return DNS_ADDRESS;
	return DNS_ON;
}

#endif
