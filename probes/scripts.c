// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which script an interpreter was given. At this point nobody has opened it, so
 * that it is known by the word alone and by where that is looked up from. User
 * space is told of each once a while: what is at a path can become another file.
 * Not seen: what stands behind SCRIPT_WORDS words, code on the command line, a
 * script on standard input, and what the dynamic loader has an interpreter run.
 */
#include "marks.h"
#include "path.h"
#include "tables.h"

/* What is longer is taken for what begins as it does. A multiple of 8. */
#define SCRIPT_BYTES 1024
/* Of the longest option that takes a value 46 count; the rest says nothing. */
#define OPTION_BYTES 48
/* argv[0], options, their values and verbs, and the script: what the verifier gets through. */
#define SCRIPT_WORDS 16
/* So long a cluster of Python's short options is: -Esc CODE. */
#define CLUSTER_BYTES 6

/* So long a script that user space has looked into is not told again, unless it had it forgotten. */
#define SHOWN_NS (600ULL * 1000000000ULL)

/* State of the search. It lies in a map, so that the states of the loop merge. */
struct words {
	u64 at;	     /* address of the next word */
	u64 script;  /* address of the likeliest one, 0: none */
	u64 is_over; /* that one is it, or none is */
	u64 waits;   /* the last option takes a value */
	u64 text[SCRIPT_BYTES / 8 + 1]; /* one more, for the zeros behind it */
};

BPF_PERCPU_ARRAY(given_words, struct words, 1);
/* Options of interpreters, by hash (sensor/core/invocation.py). */
BPF_HASH(options, u64, u32, 256);
/*
 * Scripts that were tools, which are told each time: a path can lead to another file by now, so
 * that nobody is refused by it. User space alone writes them.
 */
BPF_HASH(scripts, struct script_key, struct mark, 1024);
/* When user space was told of a script. What is pushed out is told again. */
BPF_TABLE("lru_hash", struct script_key, u64, shown, 16384);

static inline u64 recalled(const u64 *value)
{
	return *(const volatile u64 *)value;
}

/* Hashes n bytes of a text, of at most so many, with zeros behind them to a whole word. */
static inline u64 hash_text(struct words *words, u64 n, u64 most)
{
	u64 hash = seed_of_hashes(), zero = 0;

	bpf_probe_read_kernel((char *)words->text + n, sizeof(zero), &zero);
	for (u64 i = 0; i < most / 8; i++) {
		FORGET(n);
		if (i * 8 >= n)
			break;
		hash = hash_eight(hash, recalled(&words->text[i]));
	}
	return hash;
}

/* Whether a flag of Python's is one that ends the options: code, or a module. */
static inline u64 is_code(const struct words *words, u64 n, u32 flags)
{
	const u8 *text = (const u8 *)words->text;
	u8 first = text[1], last;

	if (!(flags & MARK_PYTHON) || first == '-')
		return 0;
	if (first == 'c' || first == 'm')
		return 1;
	if (n < 2 || n > CLUSTER_BYTES)
		return 0;
	last = text[n - 1];
	return last == 'c' || last == 'm';
}

/* Takes one word, of n bytes and at an address. */
static inline void take_word(struct words *words, u64 n, u64 at, u32 flags)
{
	u64 key = hash_text(words, at_most(n, OPTION_BYTES), OPTION_BYTES), waits;
	u32 *option = options.lookup(&key), what = 0;

	if (option && n <= OPTION_BYTES && (*option & flags & MARK_INTERPRETERS))
		what = *option;
	waits = recalled(&words->waits);
	words->waits = what & OPTION_VALUED;
	if (*(const volatile u8 *)words->text == '-') {
		if (!(what & OPTION_FINAL) && !is_code(words, n, flags))
			return;
		words->is_over = 1;
		words->script = 0;
		return;
	}
	words->script = at;
	words->is_over = !waits && !(what & OPTION_VERB);
	words->waits = 0;
}

/*
 * Finds where the script stands among the arguments, if anywhere. Where nothing follows
 * what was taken for a verb, or for the value of an option, that is the script.
 */
static inline u64 find_script(struct words *words, struct mm_struct *mm, u32 flags)
{
	u64 end = READ(mm, arg_end);

	words->at = READ(mm, arg_start);
	words->script = words->is_over = words->waits = 0;
	for (u32 i = 0; i < SCRIPT_WORDS; i++) {
		u64 at = recalled(&words->at);
		long n;

		if (at >= end || recalled(&words->is_over))
			break;
		n = bpf_probe_read_user_str(words->text, SCRIPT_BYTES, (void *)at);
		if (n <= 0)
			break;
		/* argv[0] is whatever the caller liked. */
		if (i)
			take_word(words, at_most(n - 1, SCRIPT_BYTES), at, flags);
		if (n == SCRIPT_BYTES) /* it goes on: where the next one is, is not known */
			break;
		words->at = at + n;
	}
	return recalled(&words->script);
}

static inline void fill_place_of_script(struct script_key *key, struct task_struct *task,
					struct words *words)
{
	struct fs_struct *fs = READ(task, fs);
	struct place from;
	struct inode *inode;

	if ((words->text[0] & 0xff) == '/')
		from = place_of(READ(fs, root_mnt), READ(fs, root_dentry));
	else
		from = place_of(READ(fs, pwd_mnt), READ(fs, pwd_dentry));
	inode = READ(from.dentry, d_inode);
	key->ino = READ(inode, i_ino);
	key->dev = READ(READ(inode, i_sb), s_dev);
	/* Not the process's own: it can have been given a folder of another one. */
	key->mntns = READ(READ(from.mount, mnt_ns), seq);
}

/* Returns other than 0 where no script was found. */
static inline int fill_script(struct script_key *key, struct task_struct *task, u32 flags)
{
	u32 zero = 0;
	struct words *words = given_words.lookup(&zero);
	u64 at;
	long n;

	if (!words || (flags & MARK_LOADER))
		return -1;
	at = find_script(words, READ(task, mm), flags);
	if (!at)
		return -1;
	n = bpf_probe_read_user_str(words->text, SCRIPT_BYTES, (void *)at);
	if (n < 2)
		return -1;
	key->hash = hash_text(words, at_most(n - 1, SCRIPT_BYTES), SCRIPT_BYTES) | 1;
	fill_place_of_script(key, task, words);
	return 0;
}

/* Whether user space is to look into the script of an image, where names do not settle it. */
static inline void judge_script(struct answer_of_file *image, struct script_key *key,
				struct task_struct *task, u32 flags)
{
	u64 *shown_ns;

	if (!(state_of(STATE_WATCH) & WATCH_SCRIPTS) || fill_script(key, task, flags))
		return;
	shown_ns = shown.lookup(key);
	/* What is mounted nowhere (open_tree, umount -l) says not which of them it is. */
	if (!shown_ns || bpf_ktime_get_boot_ns() - *shown_ns >= SHOWN_NS || !key->mntns ||
	    scripts.lookup(key))
		image->signals |= ANSWER_SCRIPT;
}

/* Has a script told once. Where that failed it comes again. */
static inline void note_shown(struct script_key *key)
{
	u64 now_ns = bpf_ktime_get_boot_ns();

	shown.update(key, &now_ns);
}
