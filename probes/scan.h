/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first words of a command line, and what they are taken apart into: the
 * components of their paths, or of a module's name (component.h).
 */
#ifndef PROBES_SCAN_H
#define PROBES_SCAN_H

#include "bits.h"
#include "marks.h"

/* Script names stand at the front: what comes later is the script's own. */
#define SCAN_BYTES 256
/* As many as that can take: argv[0] in one, then components of a byte, and flags of two. */
#define SCAN_STEPS (1 + SCAN_PARTS + (SCAN_BYTES - 1 - SCAN_PARTS) / 2)
/* Words without a dash that may be the script: a sub-command or a flag's value before it. */
#define SCAN_WORDS 3

/* A power of two, for the verifier's mask. What has more components is cut. */
#define SCAN_PARTS 32

/* One path component of one word. */
struct part {
	__u64 hash;
	__u64 parent; /* hash of the component before it, 0: none */
	__u32 whole;  /* may be a name: the end of a word, or a package of a module */
	__u32 sure;   /* of the first word that is no flag, or of a module before all others */
};

/* Where the scan is. What is no number, hash or mask is 0 or 1. */
struct reader {
	__u64 seed; /* of the hashes */
	__u64 is_python;
	__u64 is_script;
	__u64 bytes;
	__u64 at;	    /* byte of the text */
	__u64 hash;   /* of the component so far */
	__u64 parent; /* hash of the component before it */
	__u64 words;
	__u64 begins; /* a word does */
	__u64 skips;  /* to the end of this word */
	__u64 module; /* -m was seen: the next word, or the rest of this one, is a module */
	__u64 count;
	__u64 is_done;
};

/* What is read, and what was found in it, component by component. */
struct scan {
	struct reader reader;
	struct part parts[SCAN_PARTS];
	char text[SCAN_BYTES];
	__u64 behind; /* no byte of it ends anything */
};

static inline void begin_scan(struct scan *scan, __u64 bytes, __u32 flags, __u64 seed)
{
	struct reader *r = &scan->reader;

	__builtin_memset(r, 0, sizeof(*r));
	scan->behind = ~0ULL;
	r->is_python = is_more(flags & MARK_PYTHON);
	r->is_script = is_more(flags & MARK_SCRIPT);
	r->seed = r->hash = seed;
	r->bytes = bytes;
	r->begins = 1;
}

#endif
