/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Takes a command line apart. tests/fuzz compiles this for the host.
 */
#ifndef PROBES_COMPONENT_H
#define PROBES_COMPONENT_H

#include "scan.h"

#define BYTE_NUMBERS 0x0001020304050607ULL /* (1 << 8 * n) * it >> 56 is n */

/*
 * The first bytes of a word tell whether it is a flag, and which: code on the command line
 * ends the search, -m starts a module. Returns 1 where that stands in the same word.
 */
static inline __u64 read_start(struct reader *r, __u64 bytes)
{
	__u64 first = bytes & 0xff, second = bytes >> 8 & 0xff, third = bytes >> 16 & 0xff;
	/* argv[0] is whatever the caller liked. */
	__u64 is_flag = r->begins & is_zero(first ^ '-') & is_more(r->words);
	__u64 is_module = is_flag & is_zero(second ^ 'm') & r->is_python;
	__u64 is_joined = is_module & is_more(third);

	r->module |= is_module;
	r->is_done |= is_flag & is_zero(second ^ 'c') & r->is_python;
	r->is_done |= is_flag & is_zero(second ^ 'e') & r->is_script;
	r->skips |= is_flag & (is_joined ^ 1);
	r->begins = 0;
	return is_joined;
}

/* The first of the bytes that ends something, as 1 << 8 * n + 7; 0: none does. */
static inline __u64 first_end(struct reader *r, __u64 bytes, __u64 counts, __u64 *zeros,
			      __u64 *slashes)
{
	__u64 dots = first_zero(bytes ^ '.' * EACH_BYTE) & -(counts & r->module), ends;

	*zeros = first_zero(bytes);
	*slashes = first_zero(bytes ^ '/' * EACH_BYTE) & -counts;
	ends = *zeros | *slashes | dots;
	return ends & -ends;
}

/*
 * Takes up to eight bytes: to where a component ends. Without a branch: this is verified
 * for each byte of the text, and what has but one path is verified once.
 */
static inline void read_bytes(struct scan *scan)
{
	struct reader *r = &scan->reader;
	struct part *part = &scan->parts[r->count & (SCAN_PARTS - 1)];
	const __u64 *from = (void *)(scan->text + (r->at & (SCAN_BYTES - 1)));
	__u64 bytes = *from, zeros, slashes, is_joined = read_start(r, bytes);
	__u64 counts = is_more(r->words) & (r->skips ^ 1);
	__u64 end = first_end(r, bytes, counts, &zeros, &slashes) & (is_joined - 1);
	__u64 is_end = is_more(end), is_word = is_more(zeros & end);
	/* Where there is none, all eight are of the component, and none of "-m" is. */
	__u64 before = ((end >> 7) - 1) & (is_joined - 1);
	__u64 passed = ((end >> 7) * BYTE_NUMBERS >> 56) + (is_end ^ 1) * 8;
	__u64 is_found = is_end & counts;

	r->hash = either(before & 1, hash_eight(r->hash, bytes & before), r->hash);
	part->hash = r->hash;
	part->parent = r->parent;
	part->whole = is_zero(slashes & end);
	part->sure = is_zero(r->words ^ 1);
	r->count += is_found;
	r->parent = either(is_found, r->hash, r->parent) & (is_word - 1);
	r->hash = either(is_end, r->seed, r->hash);
	r->at += is_joined * 2 + ((passed + is_end) & (is_joined - 1));
	r->begins = is_word;
	is_word &= r->skips ^ 1;
	r->words += is_word;
	r->is_done |= is_word & (r->module | (SCAN_WORDS - r->words) >> 63);
	r->is_done |= r->count / SCAN_PARTS;
	r->skips &= r->begins ^ 1;
}

/* Reads the text, which is there already, of an interpreter with these MARK_*. */
static inline void scan_text(struct scan *scan, __u64 bytes, __u32 flags, __u64 seed)
{
	begin_scan(scan, bytes, flags, seed);
	for (__u32 i = 0; i < SCAN_STEPS; i++) {
		/* Kept in the map: there are not so many registers, and the stack is full. */
		barrier();
		if (scan->reader.at >= scan->reader.bytes || scan->reader.is_done)
			break;
		read_bytes(scan);
	}
}

#endif
