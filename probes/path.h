/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A path as the dentries have it, walked from the leaf to the root of the
 * mount namespace. Nothing a process wrote is read, and a chroot hides nothing.
 */
#ifndef PROBES_PATH_H
#define PROBES_PATH_H

#include "events.h"
#include "read.h"

/*
 * Deeper paths are cut, and flagged. The bound is what the verifier of 5.10
 * gets through; build trees of real projects stay below 30.
 */
#define PATH_LEVELS 48

/* include/linux/limits.h: NAME_MAX, and the NUL. */
#define NAME_BYTES 256

/* include/linux/fs.h, from 6.13 on: a flag in i_ctime_nsec, "somebody asked"; 0 before. */
#define I_CTIME_QUERIED (1U << 31)

/* The change time as stat(2) gives it. */
static inline __u64 change_time_ns(const struct inode *copy)
{
	return copy->i_ctime_sec * 1000000000ULL + (copy->i_ctime_nsec & ~I_CTIME_QUERIED);
}

struct place {
	struct dentry *dentry;
	struct mount *mount;
};

static inline struct place place_of(struct vfsmount *mnt, struct dentry *dentry)
{
	struct place place = {
	    .dentry = dentry,
	    .mount = (struct mount *)((char *)mnt - OFFSET_mount_mnt),
	};
	return place;
}

/*
 * Crosses mount points until the place is a dentry with a name of its own.
 * Returns 0 at the root. Mounts stacked deeper than the bound end the walk.
 */
static inline int settle(struct place *place)
{
#pragma unroll
	for (int stacked = 0; stacked < 4; stacked++) {
		struct vfsmount *mnt = (void *)((char *)place->mount + OFFSET_mount_mnt);
		struct mount *outer;

		if (place->dentry != READ(mnt, mnt_root))
			return place->dentry != READ(place->dentry, d_parent);
		outer = READ(place->mount, mnt_parent);
		if (outer == place->mount)
			return 0;
		place->dentry = READ(place->mount, mnt_mountpoint);
		place->mount = outer;
	}
	return 0;
}

/* A memfd hangs in no folder: its dentry is its own parent, and yet has a name. */
static inline int is_alone(struct place *place)
{
	struct vfsmount *mnt = (void *)((char *)place->mount + OFFSET_mount_mnt);

	if (place->dentry == READ(mnt, mnt_root))
		return 0;
	return place->dentry == READ(place->dentry, d_parent);
}

#endif
