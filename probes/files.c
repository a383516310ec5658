// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an image is by its names: the one typed, the file's own, the folders it
 * lies in. An answer is kept for the next execution of the same file by the
 * same name, and holds while inode and change time do: rename(2) and link(2)
 * move the latter. What it costs to find one is a cache line: after an exec
 * the caches are cold, and nothing else counts.
 */
#include "marks.h"
#include "path.h"
#include "tables.h"

/* A power of two. One that is pushed out by another is found again in 5 us. */
#define ANSWERS 2048

/* Exactly one cache line. */
struct answer_of_file {
	struct comm typed;
	struct super_block *sb;
	u64 ino;
	u64 ctime_ns;
	u32 name;	  /* 0, or the dentry's hash where the inode has several names */
	u32 generation;	  /* of the catalogue that was asked */
	struct mark mark; /* this and what follows is the answer */
	u32 signals;
	u32 paths; /* bits of `places`: the folders of policy that it lies below */
};

#define ANSWER_BYTES_OF_FILE (sizeof(struct mark) + 2 * sizeof(u32))

/* Bits of `signals` that no record has. */
#define ANSWER_SCRIPT (1U << 29) /* user space does not know of the script */
#define ANSWER_OPEN (1U << 30)	 /* user space may come to another one: not to be kept */
#define ANSWER_NEW (1U << 31)	 /* user space does not know of the file */
#define ANSWER_BITS (ANSWER_OPEN | ANSWER_NEW)
#define ANSWER_NEWS (ANSWER_NEW | ANSWER_SCRIPT)

/* Tools that user space knows by their content; it alone writes and removes them. */
BPF_HASH(inodes, struct image_key, struct mark, 4096);
/* Files that user space was told of. What is pushed out is told again. */
BPF_TABLE("lru_hash", struct image_key, u64, asked, 16384);

/* One for each CPU: no lock. */
BPF_PERCPU_ARRAY(answers, struct answer_of_file, ANSWERS);
/*
 * What is asked for. The inode comes in one copy: five reads would cost five
 * times as much.
 */
static inline void fill_question(struct answer_of_file *question, struct file *file)
{
	struct inode inode = {};

	bpf_probe_read_kernel(&inode, sizeof(inode), READ(file, f_inode));
	question->sb = inode.i_sb;
	question->ino = inode.i_ino;
	question->ctime_ns = change_time_ns(&inode);
	question->generation = generation();
	if (unlikely(inode.i_nlink > 1))
		question->name = READ(READ(file, f_dentry), d_name_hash) | 1;
}

static inline int is_same(const struct answer_of_file *a, const struct answer_of_file *b)
{
	const u64 *x = (void *)a, *y = (void *)b;

	/* typed, sb, ino, ctime_ns, name and generation */
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]) |
		 (x[5] ^ y[5]));
}

static inline u32 place_of_answer(const struct answer_of_file *question)
{
	const u64 *typed = (void *)&question->typed;
	u64 hash = (question->ino ^ typed[0] ^ typed[1]) * HASH_PRIME;

	return (hash ^ hash >> 32) & (ANSWERS - 1);
}

static inline void fill_key(struct image_key *key, const struct answer_of_file *question)
{
	key->dev = READ(question->sb, s_dev);
	key->ino = question->ino;
	key->ctime_ns = question->ctime_ns;
}

/*
 * What user space has found in a file, where its names do not settle what it is:
 * none is known, an interpreter's is, or one that others bear too.
 */
static inline void judge_content(struct answer_of_file *question, struct file *file)
{
	struct image_key key = {};
	struct mark *mark;
	u64 *state;

	fill_key(&key, question);
	mark = inodes.lookup(&key);
	if (mark) {
		question->mark = *mark;
		question->signals |= SIGNAL_CONTENT;
		return;
	}
	if (!(state_of(STATE_WATCH) & WATCH_CONTENT))
		return;
	if (READ(READ(file, f_inode), i_size) < LARGE_BYTES)
		return;
	state = asked.lookup(&key);
	if (!state)
		question->signals |= ANSWER_BITS;
	else if (*state != SEARCHED)
		question->signals |= ANSWER_OPEN;
}

/* Has the file told once. Where that failed it comes again. */
static inline void note_asked(const struct answer_of_file *image)
{
	struct image_key key = {};
	u64 state = ASKED;

	fill_key(&key, image);
	asked.insert(&key, &state);
}

static inline void find_answer(struct answer_of_file *question, struct file *file)
{
	struct place place = place_of(READ(file, f_mnt), READ(file, f_dentry));
	struct levels *room = claim_levels();
	struct mark *by_name;

	if (!room) /* three programs deep, and none of the buffers is free: never seen */
		return;
	room->count = 0;
	room->found.tool = room->found.flags = 0;
	if (is_alone(&place)) {
		judge_memfd(&room->found, place.dentry);
	} else {
		if (READ(place.mount, mnt_parent) != place.mount)
			judge_origin(room, place.dentry);
		judge_path(room, place);
	}
	if (*(volatile u32 *)&room->found.tool)
		question->signals |= SIGNAL_FILE;
	by_name = names.lookup(&question->typed);
	if (by_name) {
		merge_mark(&room->found, by_name);
		question->signals |= SIGNAL_NAME;
	}
	question->mark.tool = *(volatile u32 *)&room->found.tool;
	question->mark.flags = *(volatile u32 *)&room->found.flags;
	if (state_of(STATE_PLACES))
		question->paths = judge_places(room);
	lock_xadd(&room->busy, -1);
	if (!(question->mark.flags & MARK_STRONG))
		judge_content(question, file);
}

/*
 * Fills in what the names of an image say: its mark, if any, by which signal,
 * and the folders of policy that it lies below. `typed` is there already.
 */
static inline void judge(struct answer_of_file *question, struct file *file)
{
	struct answer_of_file *known;
	u32 place;

	fill_question(question, file);
	place = place_of_answer(question);
	known = answers.lookup(&place);
	if (!known)
		return;
	if (likely(is_same(known, question))) {
		question->mark = known->mark;
		question->signals = known->signals;
		question->paths = known->paths;
		barrier();
		if (likely(is_same(known, question)))
			return;
		question->mark.tool = question->mark.flags = question->signals = 0;
	}
	find_answer(question, file);
	if (question->signals & ANSWER_OPEN)
		return;
	/* A security module's program can be pushed aside here: the key is wrong until all is
	 * there.
	 */
	*(volatile u32 *)&known->generation = 0;
	known->typed = question->typed;
	known->sb = question->sb;
	known->ino = question->ino;
	known->ctime_ns = question->ctime_ns;
	known->name = question->name;
	known->mark = question->mark;
	known->signals = question->signals;
	known->paths = question->paths;
	barrier();
	*(volatile u32 *)&known->generation = question->generation;
}
