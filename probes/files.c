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
	struct mark mark;
	u32 signals;
	u32 reserved;
};

/* One for each CPU: no lock, and no half of somebody else's answer. */
BPF_PERCPU_ARRAY(answers, struct answer_of_file, ANSWERS);
/* Hashes of the catalogue's names, path pairs and interpreters. */
BPF_HASH(words, u64, struct mark, 8192);
/* The catalogue's names, as the kernel's comm has them. */
BPF_HASH(names, struct comm, struct mark, 4096);

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

static inline void add_mark(struct mark *found, u64 word, u32 wanted)
{
	struct mark *mark = words.lookup(&word);

	if (!mark)
		return;
	if (!(mark->flags & wanted))
		return;
	if (!found->tool)
		found->tool = mark->tool;
	found->flags |= mark->flags;
}

/* A memfd has a name and no path. A second loop that hashes is too much for the verifier of 5.10.
 */
static inline void judge_memfd(struct mark *found, struct dentry *dentry)
{
	struct comm name = {};
	struct mark *mark;

	bpf_probe_read_kernel_str(&name, sizeof(name),
				  (char *)READ(dentry, d_name_name) + MEMFD_PREFIX_BYTES);
	mark = names.lookup(&name);
	if (mark)
		*found = *mark;
}

static inline void judge_path(struct mark *found, struct place place)
{
	u64 child = 0;

	for (int level = 0; level < PATH_LEVELS; level++) {
		u64 hash;

		if (!settle(&place))
			return;
		hash = hash_name(place.dentry);
		if (level == 0)
			add_mark(found, hash, MARK_NAME | MARK_INTERPRETERS);
		else
			add_mark(found, hash_pair(hash, child), MARK_PAIR);
		child = hash;
		place.dentry = READ(place.dentry, d_parent);
	}
}

/*
 * Who is asked for. The inode comes in one copy: five reads would cost five
 * times as much.
 */
static inline void fill_question(struct answer_of_file *question, struct file *file)
{
	struct inode inode = {};

	/*
	 * begin_new_exec() (fs/exec.c) has just set comm to the basename of the
	 * name as typed, and no instruction has run that could change it.
	 */
	bpf_get_current_comm(&question->typed, sizeof(question->typed));
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
	struct mark *by_name = names.lookup(&question->typed);
	struct place place = place_of(READ(file, f_mnt), READ(file, f_dentry));

	if (by_name) {
		question->mark = *by_name;
		question->signals = SIGNAL_NAME;
		return;
	}
	if (is_alone(&place))
		judge_memfd(&question->mark, place.dentry);
	else
		judge_path(&question->mark, place);
	if (question->mark.tool)
		question->signals = SIGNAL_FILE;
}

/* Fills in what the names of an image say: its mark, if any, and by which signal. */
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
		return;
	}
	find_answer(question, file);
	*known = *question;
}
