/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A message that is being read: its bytes, and where the reader is. It lies in
 * a map; what is read back from it as volatile the verifier knows nothing of,
 * so that the states of a loop merge. tests/fuzz compiles the readers for the
 * host.
 */
#ifndef PROBES_READING_H
#define PROBES_READING_H

#include "suffix.h"

/* What of a message is looked at; a power of two. */
#define TEXT_BYTES 4096

struct reading {
	__u64 busy;
	__u64 at;    /* the next byte */
	__u64 left;  /* records of a DNS message still to come */
	__u64 bytes; /* of `text`, from 1 */
	__u64 name_at;
	__u64 name_bytes;
	struct host host;
	/* One more, so that reads of some bytes behind the last need no check of their own. */
	__u8 text[2 * TEXT_BYTES];
};

static inline __u64 recall(const __u64 *value)
{
	return *(const volatile __u64 *)value;
}

static inline void note(__u64 *value, __u64 what)
{
	*(volatile __u64 *)value = what;
}

static inline __u64 byte_at(const __u8 *text, __u64 at)
{
	FORGET(at); /* clang would leave the mask out where it knows better than the verifier */
	return text[at & (TEXT_BYTES - 1)];
}

/* Two bytes in network order. */
static inline __u64 word_at(const __u8 *text, __u64 at)
{
	return byte_at(text, at) << 8 | byte_at(text, at + 1);
}

#endif
