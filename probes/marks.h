/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the kernel recognises a name: by hash. sensor/wire/marks.py computes the
 * same numbers, and tests/wire/test_marks.py holds both to the same vectors.
 * By a hit the kernel ends or refuses what it is sure of, so hashes begin with a secret
 * of the load; whatever is told, user space compares the text itself.
 */
#ifndef PROBES_MARKS_H
#define PROBES_MARKS_H

#include <linux/types.h>

/* Bytes of a path component that count; the longest mark has 33. */
#define MARK_BYTES 40

/* Where a hash begins, and what each step multiplies by: FNV-1a, 64 bits. */
#define HASH_SEED 0xcbf29ce484222325ULL
#define HASH_PRIME 0x100000001b3ULL

#define MARK_NAME (1U << 0)
#define MARK_PAIR (1U << 1)   /* two consecutive path components */
#define MARK_SCRIPT (1U << 2) /* an interpreter: runs the file it is given */
#define MARK_PYTHON (1U << 3) /* same, and -m MODULE */
#define MARK_LOADER (1U << 4) /* the dynamic loader, run as a program */
#define MARK_WEAK (1U << 5)   /* other software has this name too */
#define MARK_MODULE (1U << 6)
#define MARK_STRONG_BIT 7
#define MARK_STRONG                                                                                \
	(1U << MARK_STRONG_BIT) /* whole, and no other software's: enough to refuse by */

#define MARK_INTERPRETERS (MARK_SCRIPT | MARK_PYTHON | MARK_LOADER)

/* Names of hosts are hashed byte by byte, as they are read. */
static inline __u64 hash_byte(__u64 hash, __u8 byte)
{
	return (hash ^ byte) * HASH_PRIME;
}

/*
 * A text is hashed eight bytes at a time, the last of them filled up with zeros. Halves are
 * multiplied with each other, as with a constant there are texts that hash alike from every seed.
 */
static inline __u64 hash_eight(__u64 hash, __u64 bytes)
{
	__u64 mixed = hash ^ bytes;

	return hash * HASH_PRIME + (mixed & 0xffffffff) * (mixed >> 32);
}

static inline __u64 hash_pair(__u64 parent, __u64 child)
{
	__u64 hash = (parent ^ (child + 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL;

	return hash ^ hash >> 29;
}

#endif
