// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an interpreter, or the dynamic loader, was told to run. Looked at only
 * where nothing else named a tool. Takes a wrong word for a script now and
 * then (`node -r x y`): sensor/core/invocation.py knows the real grammars and
 * releases what was none.
 */
#include "marks.h"
#include "path.h"
#include "tables.h"

/* Script names stand at the front: what comes later is the script's own. */
#define SCAN_BYTES 256
/* Words without a dash that may be the script: a sub-command or a flag's value before it. */
#define SCAN_WORDS 3

/* A power of two, for the verifier's mask. What has more components is cut. */
#define SCAN_PARTS 32

/* One path component of one word. */
struct part {
	u64 hash;
	u64 parent; /* hash of the component before it, 0: none */
	u32 whole;  /* may be a name: the end of a word, or a package of a module */
	u32 sure;   /* of the first word that is no flag, or of a module before all others */
};

/*
 * State of the scan. It lies in a map, not in registers: so the verifier
 * forgets the values after each byte, and the states of the loop merge.
 */
struct scan {
	u64 hash;
	u64 parent;
	u32 at; /* byte within the word */
	u32 words;
	u32 skip;   /* to the end of this word */
	u32 module; /* -m was seen: the next word, or the rest of this one, is a module */
	u32 flags;
	u32 done;
	u32 count;
	u32 reserved;
	struct mark found;
	struct part parts[SCAN_PARTS];
	char text[SCAN_BYTES];
};

BPF_PERCPU_ARRAY(scans, struct scan, 1);

static inline void end_component(struct scan *scan, u32 whole)
{
	struct part *part = &scan->parts[scan->count & (SCAN_PARTS - 1)];

	part->hash = scan->hash;
	part->parent = scan->parent;
	part->whole = whole;
	part->sure = ((u64)(scan->words ^ 1) - 1) >> 63; /* words == 1, without a branch */
	scan->parent = scan->hash;
	scan->hash = HASH_SEED;
	scan->count++;
	scan->done |= scan->count / SCAN_PARTS;
}

/* Without a branch where it can be: this is verified for each byte of the text. */
static inline void end_word(struct scan *scan)
{
	u64 counts = 1 ^ scan->skip, words = scan->words + counts;
	u64 is_last = scan->module / MARK_PYTHON | (SCAN_WORDS - words) >> 63;

	scan->words = words;
	scan->done |= counts & is_last;
	scan->at = 0;
	scan->skip = 0;
	scan->parent = 0;
	scan->hash = HASH_SEED;
}

/*
 * The first bytes of a word tell whether it is a flag, and which: code on the
 * command line ends the search, -m starts a module, in the same word or the next.
 */
static inline void read_start(struct scan *scan, u32 at, char c)
{
	if (at == 0) {
		scan->skip = c == '-';
	} else if (at == 1 && scan->skip) {
		if (c == 'm')
			scan->module = scan->flags & MARK_PYTHON;
		if (c == 'c')
			scan->done = scan->flags & MARK_PYTHON;
		if (c == 'e')
			scan->done = scan->flags & MARK_SCRIPT;
	} else if (at == 2 && scan->skip && scan->module) {
		scan->skip = 0;
		scan->hash = HASH_SEED;
	}
}

static inline void read_byte(struct scan *scan, char c)
{
	u32 at = scan->at++;

	if (!c || c == '/' || (c == '.' && scan->module)) {
		/* argv[0] is whatever the caller liked. */
		if (!scan->skip && scan->words)
			end_component(scan, c != '/');
		if (!c)
			end_word(scan);
		return;
	}
	if (at < 3 && scan->words)
		read_start(scan, at, c);
	scan->hash = hash_byte(scan->hash, c);
}

static inline struct mark judge_parts(struct scan *scan)
{
	volatile struct mark *found = &scan->found;
	struct mark result;

	found->tool = found->flags = 0;
	for (u32 i = 0; i < SCAN_PARTS; i++) {
		struct part *part = &scan->parts[i];
		u32 before = found->flags & MARK_STRONG;

		if (i >= scan->count)
			break;
		if (part->parent)
			add_mark(found, hash_pair(part->parent, part->hash), MARK_PAIR);
		if (part->whole)
			add_mark(found, part->hash, MARK_NAME | MARK_MODULE);
		/* Another word may be the script's own, or a flag's value: user space knows. */
		found->flags &= ~MARK_STRONG | before | part->sure << MARK_STRONG_BIT;
	}
	result.tool = found->tool;
	result.flags = found->flags;
	return result;
}

/* The mark of what the arguments of the new image name, if any. */
static inline struct mark judge_arguments(struct mm_struct *mm, u32 flags)
{
	u64 start = READ(mm, arg_start), end = READ(mm, arg_end), bytes;
	struct mark none = {};
	u32 zero = 0;
	struct scan *scan = scans.lookup(&zero);

	if (!scan)
		return none;
	bytes = at_most(end - start, SCAN_BYTES);
	if (bpf_probe_read_user(scan->text, bytes, (void *)start))
		return none;
	scan->hash = HASH_SEED;
	scan->parent = 0;
	scan->at = 0;
	scan->words = 0;
	scan->skip = 0;
	scan->module = 0;
	scan->flags = flags;
	scan->done = 0;
	scan->count = 0;
	for (u32 i = 0; i < SCAN_BYTES; i++) {
		FORGET(bytes);
		if (i >= bytes)
			break;
		read_byte(scan, scan->text[i]);
		if (scan->done)
			break;
	}
	return judge_parts(scan);
}
