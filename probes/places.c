// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the names of a file say: its own, and those of the folders it lies in,
 * walked dentry by dentry. The catalogue knows tools by them, policy folders.
 */
#include "marks.h"
#include "path.h"
#include "tables.h"

/* The kernel's comm, TASK_COMM_LEN of include/linux/sched.h. */
struct comm {
	char text[16];
};

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
#pragma unroll
	for (int i = 0; i < BUFFERS; i++) {
		u64 slot = i;
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

/* Names of packages lie close to their files. */
#define ORIGIN_LEVELS 12

/* mm/memfd.c puts "memfd:" before the name that a memfd was given. */
#define MEMFD_PREFIX_BYTES 6

/* The hash of one component, from that of nothing on; bytes after MARK_BYTES do not count. */
static inline u64 hash_name(struct dentry *dentry, u64 hash)
{
	u64 text[MARK_BYTES / 8 + 1] = {};

	bpf_probe_read_kernel_str(text, MARK_BYTES + 1, READ(dentry, d_name_name));
#pragma unroll
	for (int i = 0; i < MARK_BYTES / 8; i++) {
		if (!text[i])
			break;
		hash = hash_eight(hash, text[i]);
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

/* A memfd has a name and no path; it is looked up as the kernel's comm would have it. */
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

/*
 * What the file and its folders are called where they lie, whatever is mounted
 * where: a bind mount gives a file, or a folder around it, another name.
 */
static inline void judge_origin(struct levels *room, struct dentry *dentry)
{
	u64 child = 0, seed = seed_of_hashes();

	for (u64 level = 0; level < ORIGIN_LEVELS; level++) {
		struct dentry *parent = READ(dentry, d_parent);
		u64 hash;

		if (parent == dentry)
			return;
		hash = hash_name(dentry, seed);
		if (level == 0)
			add_mark(&room->found, hash, MARK_NAME | MARK_INTERPRETERS);
		else
			add_mark(&room->found, hash_pair(hash, child), MARK_PAIR);
		child = hash;
		dentry = parent;
	}
}

static inline void judge_path(struct levels *room, struct place place)
{
	u64 child = 0, seed = seed_of_hashes();

	for (u64 level = 0; level < PATH_LEVELS; level++) {
		u64 hash;

		if (!settle(&place))
			return;
		hash = hash_name(place.dentry, seed);
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
	u64 hash = seed_of_hashes(), count = *(volatile u64 *)&room->count;
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
