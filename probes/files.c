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

/* The kernel's comm, TASK_COMM_LEN of include/linux/sched.h. */
struct comm {
	char text[16];
};

/* Exactly one cache line. */
struct answer_of_file {
	struct comm typed;
	struct super_block *sb;
	u64 ino;
	u64 ctime_ns;
	u32 name;	/* 0, or the dentry's hash where the inode has several names */
	u32 generation; /* of the catalogue that was asked */
	struct mark mark; /* this and what follows is the answer */
	u32 signals;
	u32 paths; /* bits of `places`: the folders of policy that it lies below */
};

#define ANSWER_BYTES_OF_FILE (sizeof(struct mark) + 2 * sizeof(u32))

/* One for each CPU: no lock. */
BPF_PERCPU_ARRAY(answers, struct answer_of_file, ANSWERS);
/* Hashes of the catalogue's names, path pairs and interpreters. */
BPF_HASH(words, u64, struct mark, 8192);
/* The catalogue's names, as the kernel's comm has them. */
BPF_HASH(names, struct comm, struct mark, 4096);
/* Hashes of the folders that policy names, as bits; see judge_path. */
BPF_HASH(places, u64, u32, 2 * PLACES);

/* The components of a path, from the leaf up. */
struct levels {
	u64 busy;
	u64 count;
	struct mark found;
	u64 hashes[64]; /* PATH_LEVELS, rounded up for the verifier's mask */
};

BPF_PERCPU_ARRAY(levels, struct levels, BUFFERS);

static inline struct levels *claim_levels(void)
{
	for (u64 slot = 0; slot < BUFFERS; slot++) {
		struct levels *room = levels.lookup((u32 *)&slot);

		if (!room)
			return 0;
		lock_xadd(&room->busy, 1);
		if (*(volatile u64 *)&room->busy == 1)
			return room;
		lock_xadd(&room->busy, -1);
	}
	return 0;
}

/* mm/memfd.c puts "memfd:" before the name that a memfd was given. */
#define MEMFD_PREFIX_BYTES 6

/* The hash of one component; bytes after MARK_BYTES do not count. */
static inline u64 hash_name(struct dentry *dentry)
{
	char name[MARK_BYTES + 1] = {};
	u64 hash = HASH_SEED;

	bpf_probe_read_kernel_str(name, sizeof(name), READ(dentry, d_name_name));
	for (int i = 0; i < MARK_BYTES; i++) {
		if (!name[i])
			break;
		hash = hash_byte(hash, name[i]);
	}
	return hash;
}

/*
 * Of the tools that marks speak for, the first; but one that no other software
 * bears goes before. `found` lies in a map, not on the stack: so the verifier
 * forgets what is in it, and the states of the loops merge.
 */
static inline void merge_mark(volatile struct mark *found, const struct mark *mark)
{
	u64 tool = found->tool, before = found->flags, flags = mark->flags;
	u64 is_first = (tool - 1) >> 63, is_better = (flags & ~before) >> MARK_STRONG_BIT & 1;
	u64 takes = -(is_first | is_better);

	/* Without a branch, each of which the verifier would follow on 48 levels. */
	found->tool = (mark->tool & takes) | (tool & ~takes);
	found->flags = before | flags;
}

static inline void add_mark(volatile struct mark *found, u64 word, u32 wanted)
{
	struct mark *mark = words.lookup(&word);

	if (!mark)
		return;
	if (!(mark->flags & wanted))
		return;
	merge_mark(found, mark);
}

/* A memfd has a name and no path. A second loop that hashes is too much for the verifier of 5.10.
 */
static inline void judge_memfd(volatile struct mark *found, struct dentry *dentry)
{
	struct comm name = {};
	struct mark *mark;

	bpf_probe_read_kernel_str(&name, sizeof(name),
				  (char *)READ(dentry, d_name_name) + MEMFD_PREFIX_BYTES);
	mark = names.lookup(&name);
	if (mark)
		merge_mark(found, mark);
}

static inline void judge_path(struct levels *room, struct place place)
{
	u64 child = 0;

	for (u64 level = 0; level < PATH_LEVELS; level++) {
		u64 hash;

		if (!settle(&place))
			return;
		hash = hash_name(place.dentry);
		room->hashes[level] = hash;
		*(volatile u64 *)&room->count = level + 1;
		if (level == 0)
			add_mark(&room->found, hash, MARK_NAME | MARK_INTERPRETERS);
		else
			add_mark(&room->found, hash_pair(hash, child), MARK_PAIR);
		child = hash;
		place.dentry = READ(place.dentry, d_parent);
	}
}

/*
 * The folders of policy that a file lies below. A folder is known by a hash
 * over its components from the root down, the walk went the other way. A path
 * that was cut lies below none.
 */
static inline u32 judge_places(struct levels *room)
{
	u64 hash = HASH_SEED, count = *(volatile u64 *)&room->count;
	u32 found = 0;

	if (count >= PATH_LEVELS)
		return 0;
	for (u64 i = 1; i < PATH_LEVELS; i++) {
		u32 *bits;

		FORGET(count);
		if (i >= count)
			break;
		hash = hash_pair(hash, room->hashes[(count - i) & 63]);
		bits = places.lookup(&hash);
		if (bits)
			found |= *bits;
	}
	return found;
}

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

static inline void find_answer(struct answer_of_file *question, struct file *file)
{
	struct place place = place_of(READ(file, f_mnt), READ(file, f_dentry));
	struct policy *policy = policy_in_force();
	struct levels *room = claim_levels();
	struct mark *by_name;

	if (!room) /* three programs deep, and none of the buffers is free: never seen */
		return;
	room->count = 0;
	room->found.tool = room->found.flags = 0;
	if (is_alone(&place))
		judge_memfd(&room->found, place.dentry);
	else
		judge_path(room, place);
	if (*(volatile u32 *)&room->found.tool)
		question->signals |= SIGNAL_FILE;
	by_name = names.lookup(&question->typed);
	if (by_name) {
		merge_mark(&room->found, by_name);
		question->signals |= SIGNAL_NAME;
	}
	question->mark.tool = *(volatile u32 *)&room->found.tool;
	question->mark.flags = *(volatile u32 *)&room->found.flags;
	if (policy && (policy->flags & POLICY_PATH))
		question->paths = judge_places(room);
	lock_xadd(&room->busy, -1);
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
	/* A security module's program can be pushed aside here: the key is wrong until all is there.
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
