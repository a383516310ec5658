// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an interpreter, or the dynamic loader, was told to run. Looked at only
 * where nothing else named a tool. Takes a wrong word for a script now and
 * then (`node -r x y`): sensor/core/invocation.py knows the real grammars and
 * releases what was none.
 */
#include "marks.h"
#include "path.h"

/* Script names stand at the front: what comes later is the script's own. */
#define SCAN_BYTES 512
/* Words without a dash that may be the script: a sub-command or a flag's value before it. */
#define SCAN_WORDS 3

/*
 * State of the scan. It lies in a map, not in registers: so the verifier
 * forgets the values after each byte, and the states of the loop merge.
 */
struct scan {
	u64 hash;
	u64 parent;	/* hash of the component before, 0: none */
	u32 at;		/* byte within the word */
	u32 words;
	u32 skip;	/* to the end of this word */
	u32 module;	/* 1: the next word names a module; 2: this one does */
	u32 flags;
	u32 done;
	struct mark found;
	char text[SCAN_BYTES];
};

BPF_PERCPU_ARRAY(scans, struct scan, 1);

static inline void end_component(struct scan *scan, u32 last)
{
	struct mark found = scan->found;

	if (scan->parent)
		add_mark(&found, hash_pair(scan->parent, scan->hash), MARK_PAIR);
	if (last)
		add_mark(&found, scan->hash, MARK_NAME | MARK_MODULE);
	scan->found = found;
	scan->parent = scan->hash;
	scan->hash = HASH_SEED;
}

static inline void end_word(struct scan *scan)
{
	/* argv[0] is whatever the caller liked. */
	if (!scan->skip && scan->words > 0)
		end_component(scan, 1);
	if (!scan->skip)
		scan->words++;
	if (scan->module == 2 || scan->words > SCAN_WORDS)
		scan->done = 1;
	if (scan->module == 1 && !scan->skip)
		scan->done = 1;
	scan->at = 0;
	scan->skip = 0;
	scan->parent = 0;
	scan->hash = HASH_SEED;
}

/* The second byte of a flag: code on the command line ends the search, -m starts a module. */
static inline void read_flag(struct scan *scan, char c)
{
	if (c == 'm' && (scan->flags & MARK_PYTHON)) {
		scan->module = 1;
		return;
	}
	if (c == 'c' && (scan->flags & MARK_PYTHON))
		scan->done = 1;
	if (c == 'e' && (scan->flags & MARK_SCRIPT))
		scan->done = 1;
}

static inline void read_byte(struct scan *scan, char c)
{
	u32 at = scan->at;

	if (!c) {
		end_word(scan);
		return;
	}
	scan->at = at + 1;
	if (at == 0 && c == '-' && scan->words > 0) {
		scan->skip = 1;
		return;
	}
	if (at == 1 && scan->skip) {
		read_flag(scan, c);
		return;
	}
	/* -mMODULE in one word */
	if (at == 2 && scan->skip && scan->module == 1) {
		scan->skip = 0;
		scan->module = 2;
	}
	if (scan->skip)
		return;
	/* aider.main is of the package aider */
	if (c == '/' || (c == '.' && scan->module))
		end_component(scan, c == '.');
	else
		scan->hash = hash_byte(scan->hash, c);
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
	scan->found = none;
	for (u32 i = 0; i < SCAN_BYTES; i++) {
		FORGET(bytes);
		if (i >= bytes)
			break;
		read_byte(scan, scan->text[i]);
		if (scan->done)
			break;
	}
	return scan->found;
}
