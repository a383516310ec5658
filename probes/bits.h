/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Conditions as numbers. The verifier follows each branch, and in a loop that
 * is verified for each byte of a text every one counts. tests/fuzz compiles
 * this for the host.
 */
#ifndef PROBES_BITS_H
#define PROBES_BITS_H

#include <linux/types.h>

/*
 * Hides a value from clang, so that it does not merge two range checks into
 * one that the verifier cannot follow. The value itself is unchanged.
 */
#define FORGET(x) asm volatile("" : "+r"(x))

/* Keeps clang from moving what is read or written across it. */
#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif

/* 1 where v is not 0. Clang knows the idiom and would make a branch of it. */
static inline __u64 is_more(__u64 v)
{
	__u64 either_sign = v | -v;

	FORGET(either_sign);
	return either_sign >> 63;
}

static inline __u64 is_zero(__u64 v)
{
	return is_more(v) ^ 1;
}

/* One of two, by a condition that is 0 or 1. */
static inline __u64 either(__u64 condition, __u64 yes, __u64 no)
{
	return (yes & -condition) | (no & (condition - 1));
}

#define EACH_BYTE 0x0101010101010101ULL

/* The highest bit of the first byte that is 0, and perhaps of others behind that. */
static inline __u64 first_zero(__u64 bytes)
{
	return (bytes - EACH_BYTE) & ~bytes & EACH_BYTE << 7;
}

#endif
