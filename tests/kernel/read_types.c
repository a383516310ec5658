/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads of the first exec by a child of READER what /proc and stat(2) tell of
 * it as well. Execs of anybody else are passed over.
 */
#include "read.h"

/* include/linux/fs.h, since 6.13: set in i_ctime_nsec once somebody asked for the time. */
#define I_CTIME_QUERIED	(1U << 31)

struct seen {
	__u64 start_boottime;
	__u64 ino;
	__u64 size;
	__u64 ctime_sec;
	__u64 ctime_nsec;
	__u64 argv_bytes;
	__u32 tgid;
	__u32 parent_tgid;
	__u32 dev;
	__u32 links;
	__u32 loginuid;
	char typed[16];
	char cwd[16];
	__u32 reserved;
};

BPF_HASH(seen, __u32, struct seen, 1);

int read_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	struct inode *inode = READ(READ(bprm, file), f_inode);
	struct mm_struct *mm = READ(task, mm);
	struct dentry *cwd = READ(READ(task, fs), pwd_dentry);
	struct seen out = {};
	__u32 first = 0;

	out.parent_tgid = READ(READ(task, real_parent), tgid);
	if (out.parent_tgid != READER)
		return 0;
	out.tgid = READ(task, tgid);
	out.start_boottime = READ(READ(task, group_leader), start_boottime);
	out.loginuid = READ(task, loginuid);
	out.argv_bytes = READ(mm, arg_end) - READ(mm, arg_start);
	out.ino = READ(inode, i_ino);
	out.dev = READ(READ(inode, i_sb), s_dev);
	out.links = READ(inode, i_nlink);
	out.size = READ(inode, i_size);
	out.ctime_sec = READ(inode, i_ctime_sec);
	out.ctime_nsec = READ(inode, i_ctime_nsec) & ~I_CTIME_QUERIED;
	bpf_probe_read_kernel_str(out.typed, sizeof(out.typed), READ(bprm, filename));
	bpf_probe_read_kernel_str(out.cwd, sizeof(out.cwd), READ(cwd, d_name_name));
	seen.insert(&first, &out);
	return 0;
}
