/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Refuses the exec of the files in `refused`, before it commits. The hook runs
 * once a hop, so a script is judged before its interpreter is. Where bpf is no
 * active security module this attaches and is never called: `calls` tells.
 */
#include "read.h"

#define EPERM	1	/* include/uapi/asm-generic/errno-base.h */

struct file_key {
	__u64 ino;
	__u64 dev;		/* kernel encoding: major << 20 | minor */
};

BPF_HASH(refused, struct file_key, __u64, 16);
BPF_ARRAY(calls, __u64, 1);

LSM_PROBE(bprm_check_security, struct linux_binprm *bprm)
{
	struct inode *inode = READ(READ(bprm, file), f_inode);
	struct file_key key = {
		.ino = READ(inode, i_ino),
		.dev = READ(READ(inode, i_sb), s_dev),
	};
	__u32 first = 0;
	__u64 *count = calls.lookup(&first);

	if (count)
		__sync_fetch_and_add(count, 1);
	return refused.lookup(&key) ? -EPERM : 0;
}
