// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which script an interpreter was given. At this point nobody has opened it, so
 * that it is known by the word alone and by where that is looked up from. User
 * space is told of each once a while: what is at a path can become another file.
 * Not seen: what stands behind SCAN_BYTES of options, code on the command line,
 * a script on standard input, and what the dynamic loader has an interpreter run.
 */
#include "marks.h"
#include "path.h"
#include "tables.h"

/* What is longer is taken for what begins as it does. A multiple of 8. */
#define SCRIPT_BYTES 1024

/* So long a script that user space has looked into is not told again, unless it had it forgotten. */
#define SHOWN_NS (600ULL * 1000000000ULL)

struct script_text {
	u64 words[SCRIPT_BYTES / 8];
};

BPF_PERCPU_ARRAY(script_texts, struct script_text, 1);
/* Options of interpreters, by hash (sensor/core/invocation.py). */
BPF_HASH(options, u64, u32, 256);
/* Scripts that are tools; user space alone writes and removes them. */
BPF_HASH(scripts, struct script_key, struct mark, 1024);
/* When user space was told of a script. What is pushed out is told again. */
BPF_TABLE("lru_hash", struct script_key, u64, shown, 16384);

/* What a word means to the interpreter that it was given to. */
static inline u32 option_of(const struct scan *scan, const struct given *given)
{
	u64 key = *(volatile u64 *)&given->hash;
	u32 *option = options.lookup(&key);

	return option && (*option & scan->flags & MARK_INTERPRETERS) ? *option : 0;
}

/*
 * Where the script stands among the arguments, 0: nowhere. Where nothing follows what
 * was taken for a verb, or for the value of an option, that is the script.
 */
static inline u64 script_at(const struct scan *scan)
{
	u64 ended = *(volatile u32 *)&scan->ended, at = 0;
	u32 is_value = 0;

	if (*(volatile u32 *)&scan->code || (scan->flags & MARK_LOADER))
		return 0;
	for (u64 i = 1; i < SCAN_GIVEN; i++) {
		const struct given *given = &scan->given[i];
		u32 what;

		FORGET(ended);
		if (i >= ended)
			break;
		what = option_of(scan, given);
		if (what & OPTION_FINAL)
			return 0;
		if (*(volatile u32 *)&given->is_flag) {
			is_value = what & OPTION_VALUED;
			continue;
		}
		at = *(volatile u32 *)&given->at;
		if (!is_value && !(what & OPTION_VERB))
			return at;
		is_value = 0;
	}
	/* A word that is longer than what is scanned has not ended. */
	if (*(volatile u32 *)&scan->at && !*(volatile u32 *)&scan->skip)
		at = *(volatile u32 *)&scan->start;
	return at;
}

/* Hashes n bytes of a text whose last word may have others behind them. */
static inline u64 hash_text(const struct script_text *text, u64 n)
{
	u64 hash = HASH_SEED;

	for (u64 i = 0; i < SCRIPT_BYTES / 8; i++) {
		u64 word = *(volatile u64 *)&text->words[i];

		FORGET(n);
		if (i * 8 >= n)
			break;
		if (n - i * 8 < 8)
			word &= (1ULL << (n - i * 8) * 8) - 1;
		hash = (hash ^ word) * HASH_PRIME;
		hash ^= hash >> 32;
	}
	return hash | 1;
}

static inline void fill_place_of_script(struct script_key *key, struct task_struct *task,
					struct script_text *text)
{
	struct fs_struct *fs = READ(task, fs);
	u32 is_absolute = (text->words[0] & 0xff) == '/';
	struct inode *inode;

	inode = READ(is_absolute ? READ(fs, root_dentry) : READ(fs, pwd_dentry), d_inode);
	key->ino = READ(inode, i_ino);
	key->dev = READ(READ(inode, i_sb), s_dev);
}

/* Returns other than 0 where no script was found. */
static inline int fill_script(struct script_key *key, const struct scan *scan,
			      struct task_struct *task)
{
	u64 at = script_at(scan), start = READ(READ(task, mm), arg_start);
	u32 zero = 0;
	struct script_text *text = script_texts.lookup(&zero);
	long n;

	if (!at || !text)
		return -1;
	n = bpf_probe_read_user_str(text, sizeof(*text), (void *)(start + at));
	if (n < 2)
		return -1;
	key->hash = hash_text(text, at_most(n - 1, SCRIPT_BYTES));
	fill_place_of_script(key, task, text);
	return 0;
}

/* What user space has found in the script of an image, where names do not settle what it is. */
static inline void judge_script(struct answer_of_file *image, struct script_key *key,
				const struct scan *scan, struct task_struct *task)
{
	struct mark *mark;
	u64 *shown_ns;

	if (!(state_of(STATE_WATCH) & WATCH_SCRIPTS) || fill_script(key, scan, task))
		return;
	mark = scripts.lookup(key);
	if (mark) {
		image->mark = *mark;
		image->signals |= SIGNAL_SCRIPT;
		return;
	}
	shown_ns = shown.lookup(key);
	if (!shown_ns || bpf_ktime_get_boot_ns() - *shown_ns >= SHOWN_NS)
		image->signals |= ANSWER_SCRIPT;
}

/* Has a script told once. Where that failed it comes again. */
static inline void note_shown(struct script_key *key)
{
	u64 now_ns = bpf_ktime_get_boot_ns();

	shown.update(key, &now_ns);
}
