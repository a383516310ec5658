// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A file is judged once: what its path says is remembered by device, inode and
 * change time. rename(2) and link(2) move the change time, so a new name is a
 * new look. A name given by a symbolic link is not seen here but in exec.c.
 */
#include "marks.h"
#include "path.h"
#include "tables.h"

#define FILES 16384

struct file_key {
	__u64 ino;
	__u64 ctime_ns;
	__u32 dev;
	__u32 name; /* 0, or a hash where the inode has several names */
};

BPF_TABLE("lru_hash", struct file_key, struct mark, files, FILES);
/* Hashes of the catalogue's names, path pairs and interpreters. */
BPF_HASH(words, u64, struct mark, 8192);
/* The catalogue's names, as the kernel's comm has them. */
struct comm {
	char text[16];
};
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

/* A memfd has a name and no path. A second loop that hashes is too much for the verifier of 5.10. */
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

static inline void fill_key(struct file_key *key, struct file *file, struct inode *inode)
{
	key->ino = READ(inode, i_ino);
	key->ctime_ns = change_time_ns(inode);
	key->dev = READ(READ(inode, i_sb), s_dev);
	key->name = READ(inode, i_nlink) > 1 ? (u32)hash_name(READ(file, f_dentry)) | 1 : 0;
}

/* What the file's own path says: the marks that hit, or none. */
static inline struct mark judge(struct file *file)
{
	struct file_key key = {};
	struct mark found = {};
	struct mark *known;
	struct place place;

	fill_key(&key, file, READ(file, f_inode));
	known = files.lookup(&key);
	if (known)
		return *known;
	place = place_of(READ(file, f_mnt), READ(file, f_dentry));
	if (is_alone(&place))
		judge_memfd(&found, place.dentry);
	else
		judge_path(&found, place);
	files.update(&key, &found);
	return found;
}
