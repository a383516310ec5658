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
/* Each of eight bytes, or to the end of a component, or of a flag. */
#define SCAN_STEPS 96
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

/* Where the scan is. What is no number, hash or mask is 0 or 1. */
struct reader {
	u64 seed; /* of the hashes */
	u64 is_python;
	u64 is_script;
	u64 bytes;
	u64 at;	    /* byte of the text */
	u64 hash;   /* of the component so far */
	u64 parent; /* hash of the component before it */
	u64 words;
	u64 begins; /* a word does */
	u64 skips;  /* to the end of this word */
	u64 module; /* -m was seen: the next word, or the rest of this one, is a module */
	u64 count;
	u64 is_done;
};

/* What is read, and what was found in it, component by component. */
struct scan {
	struct reader reader;
	struct mark found;
	struct part parts[SCAN_PARTS];
	char text[SCAN_BYTES];
	u64 behind; /* no byte of it ends anything */
};

BPF_PERCPU_ARRAY(scans, struct scan, 1);

#define EACH_BYTE 0x0101010101010101ULL
/* (1 << 8 * n) * BYTE_NUMBERS >> 56 is n. */
#define BYTE_NUMBERS 0x0001020304050607ULL

/* The highest bit of the first byte that is 0, and perhaps of others behind that. */
static inline u64 first_zero(u64 bytes)
{
	return (bytes - EACH_BYTE) & ~bytes & EACH_BYTE << 7;
}

/*
 * The first bytes of a word tell whether it is a flag, and which: code on the command line
 * ends the search, -m starts a module. Returns 1 where that stands in the same word.
 */
static inline u64 read_start(struct reader *r, u64 bytes)
{
	u64 first = bytes & 0xff, second = bytes >> 8 & 0xff, third = bytes >> 16 & 0xff;
	/* argv[0] is whatever the caller liked. */
	u64 is_flag = r->begins & is_zero(first ^ '-') & is_more(r->words);
	u64 is_module = is_flag & is_zero(second ^ 'm') & r->is_python;
	u64 is_joined = is_module & is_more(third);

	r->module |= is_module;
	r->is_done |= is_flag & is_zero(second ^ 'c') & r->is_python;
	r->is_done |= is_flag & is_zero(second ^ 'e') & r->is_script;
	r->skips |= is_flag & (is_joined ^ 1);
	r->begins = 0;
	return is_joined;
}

/* The first of the bytes that ends something, as 1 << 8 * n + 7; 0: none does. */
static inline u64 first_end(struct reader *r, u64 bytes, u64 counts, u64 *zeros, u64 *slashes)
{
	u64 dots = first_zero(bytes ^ '.' * EACH_BYTE) & -(counts & r->module), ends;

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
	const u64 *from = (void *)(scan->text + (r->at & (SCAN_BYTES - 1)));
	u64 bytes = *from, zeros, slashes, is_joined = read_start(r, bytes);
	u64 counts = is_more(r->words) & (r->skips ^ 1);
	u64 end = first_end(r, bytes, counts, &zeros, &slashes) & (is_joined - 1);
	u64 is_end = is_more(end), is_word = is_more(zeros & end);
	/* Where there is none, all eight are of the component, and none of "-m" is. */
	u64 before = ((end >> 7) - 1) & (is_joined - 1);
	u64 passed = ((end >> 7) * BYTE_NUMBERS >> 56) + (is_end ^ 1) * 8;
	u64 is_found = is_end & counts;

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

static inline struct mark judge_parts(struct scan *scan)
{
	volatile struct mark *found = &scan->found;
	struct mark result;

	found->tool = found->flags = 0;
	for (u32 i = 0; i < SCAN_PARTS; i++) {
		struct part *part = &scan->parts[i];
		u32 before = found->flags & MARK_STRONG;

		if (i >= *(volatile u64 *)&scan->reader.count)
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

static inline void begin_scan(struct scan *scan, u64 bytes, u32 flags)
{
	struct reader *r = &scan->reader;

	__builtin_memset(r, 0, sizeof(*r));
	scan->behind = ~0ULL;
	r->is_python = is_more(flags & MARK_PYTHON);
	r->is_script = is_more(flags & MARK_SCRIPT);
	r->seed = r->hash = seed_of_hashes();
	r->bytes = bytes;
	r->begins = 1;
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
	begin_scan(scan, bytes, flags);
	for (u32 i = 0; i < SCAN_STEPS; i++) {
		/* Kept in the map: there are not so many registers, and the stack is full. */
		barrier();
		if (scan->reader.at >= scan->reader.bytes || scan->reader.is_done)
			break;
		read_bytes(scan);
	}
	return judge_parts(scan);
}
