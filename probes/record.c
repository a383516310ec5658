// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The record of an execution: who, what file, from where, with which words.
 * All of it from the kernel's own copies, but for argv (see put_argv).
 */
#include "events.h"
#include "marks.h"
#include "path.h"
#include "tables.h"

/* The five strings behind an exec record, and room for the longest single copy. */
#define TAIL_BYTES (16 * 1024)

struct exec_buffer {
	u64 busy;
	u64 used; /* bytes of tail */
	struct exec_record record;
	u8 tail[TAIL_BYTES + ARGV_BYTES]; /* directly behind the record */
};

BPF_PERCPU_ARRAY(exec_buffers, struct exec_buffer, BUFFERS);

static inline struct exec_buffer *claim_exec_buffer(void)
{
	for (u64 slot = 0; slot < BUFFERS; slot++) {
		struct exec_buffer *out = exec_buffers.lookup((u32 *)&slot);

		if (!out)
			return 0;
		lock_xadd(&out->busy, 1);
		if (*(volatile u64 *)&out->busy == 1)
			return out;
		lock_xadd(&out->busy, -1);
	}
	return 0;
}

/* What is told of an image beside its names. */
struct telling {
	struct mark mark;
	u32 signals;
	u32 flags; /* EXEC_* */
	struct ruling ruling;
};

/*
 * Where the next string goes. `used` is read back from the map, so that the
 * verifier merges the states of a loop; the mask is for it alone.
 */
static inline u8 *tail(struct exec_buffer *out)
{
	return &out->tail[*(volatile u64 *)&out->used & (TAIL_BYTES - 1)];
}

/* Appends the components of a place, leaf first. Returns 1 where it had to cut. */
static inline int put_path(struct exec_buffer *out, struct place place, u64 room)
{
	u64 start = out->used;

	if (is_alone(&place)) {
		int n = bpf_probe_read_kernel_str(tail(out), NAME_BYTES,
						  READ(place.dentry, d_name_name));

		if (n > 0)
			out->used += n;
		return n <= 0;
	}
	for (int level = 0; level < PATH_LEVELS; level++) {
		int n;

		if (!settle(&place))
			return 0;
		if (out->used - start > room - NAME_BYTES)
			return 1;
		n = bpf_probe_read_kernel_str(tail(out), NAME_BYTES,
					      READ(place.dentry, d_name_name));
		if (n <= 0)
			return 1;
		out->used += n;
		place.dentry = READ(place.dentry, d_parent);
	}
	return settle(&place);
}

static inline void put_places(struct exec_buffer *out, struct task_struct *task, struct file *file)
{
	struct exec_record *record = &out->record;
	struct fs_struct *fs = READ(task, fs);
	struct place exe = place_of(READ(file, f_mnt), READ(file, f_dentry));
	struct place cwd = place_of(READ(fs, pwd_mnt), READ(fs, pwd_dentry));
	u64 start = out->used;

	if (put_path(out, exe, EXE_BYTES))
		record->flags |= EXEC_EXE_CUT;
	record->exe_bytes = out->used - start;
	start = out->used;
	if (put_path(out, cwd, CWD_BYTES))
		record->flags |= EXEC_CWD_CUT;
	record->cwd_bytes = out->used - start;
}

/* bprm->filename as typed; interp differs from it where a script named one. */
static inline void put_names(struct exec_buffer *out, struct linux_binprm *bprm)
{
	struct exec_record *record = &out->record;
	char *typed = READ(bprm, filename), *interp = READ(bprm, interp);
	int n;

	n = bpf_probe_read_kernel_str(tail(out), TYPED_BYTES, typed);
	if (n > 0) {
		record->typed_bytes = n;
		out->used += n;
	}
	if (n == TYPED_BYTES)
		record->flags |= EXEC_TYPED_CUT;
	if (interp == typed)
		return;
	n = bpf_probe_read_kernel_str(tail(out), INTERP_BYTES, interp);
	if (n > 0) {
		record->interp_bytes = n;
		out->used += n;
	}
	if (n == INTERP_BYTES)
		record->flags |= EXEC_INTERP_CUT;
}

/*
 * argv from the new mm: user memory, but nobody has run in it yet. Another
 * thread cannot exist, and ptrace or process_vm_writev from outside need the
 * rights of a debugger.
 */
static inline void put_argv(struct exec_buffer *out, struct mm_struct *mm)
{
	struct exec_record *record = &out->record;
	u64 start = READ(mm, arg_start), bytes = READ(mm, arg_end) - start;

	if (bytes > ARGV_BYTES)
		record->flags |= EXEC_ARGV_CUT;
	bytes = at_most(bytes, ARGV_BYTES);
	if (bpf_probe_read_user(tail(out), bytes, (void *)start)) {
		record->flags |= EXEC_ARGV_UNREAD;
		return;
	}
	record->argv_bytes = bytes;
	out->used += bytes;
}

static inline void put_file(struct exec_record *record, struct file *file)
{
	struct inode inode = {};

	bpf_probe_read_kernel(&inode, sizeof(inode), READ(file, f_inode));
	record->ino = inode.i_ino;
	record->dev = READ(inode.i_sb, s_dev);
	record->ctime_ns = change_time_ns(&inode);
	record->file_bytes = inode.i_size;
	if (!inode.i_nlink)
		record->flags |= EXEC_FILELESS;
}

/*
 * A start time comes from the member where there is one: a process that user
 * space found in /proc is known by the coarser time it has there.
 */
static inline void put_task(struct exec_record *record, struct task_struct *task,
			    struct member *member)
{
	struct task_struct *parent = READ(task, real_parent);
	struct tty_struct *tty = READ(READ(task, signal), tty);
	struct member *followed;

	record->started_ns = member->started_ns;
	record->parent_pid = READ(parent, tgid);
	followed = member_of(record->parent_pid);
	if (followed)
		record->parent_started_ns = followed->started_ns;
	else
		record->parent_started_ns = READ(READ(parent, group_leader), start_boottime);
	record->uid = bpf_get_current_uid_gid();
	record->cgroup_id = bpf_get_current_cgroup_id();
	if (HAVE_task_struct_loginuid)
		record->loginuid = READ(task, loginuid);
	else
		record->flags |= EXEC_NO_LOGINUID;
	if (tty)
		bpf_probe_read_kernel_str(record->tty, TTY_BYTES, tty->name);
}

/* Of a refused image argv is not told: it is not this process's, but of an address space to come. */
static inline void emit_exec(struct task_struct *task, struct linux_binprm *bprm,
			     struct member *member, const struct telling *what)
{
	struct exec_buffer *out = claim_exec_buffer();
	struct file *file = READ(bprm, file);
	u64 bytes, problem;

	if (!out) {
		count_lost(RECORD_EXEC);
		return;
	}
	__builtin_memset(&out->record, 0, sizeof(out->record));
	out->used = 0;
	out->record.tool = what->mark.tool;
	out->record.signals = what->signals;
	out->record.flags = what->flags;
	out->record.ruling = what->ruling;
	copy_tools(out->record.tools, member);
	put_task(&out->record, task, member);
	put_file(&out->record, file);
	put_places(out, task, file);
	put_names(out, bprm);
	if (what->flags & EXEC_REFUSED)
		out->record.flags |= EXEC_ARGV_UNREAD;
	else
		put_argv(out, READ(task, mm));
	bytes = at_most(sizeof(out->record) + *(volatile u64 *)&out->used,
			sizeof(out->record) + TAIL_BYTES);
	fill_head(&out->record.head, member, current_pid(), RECORD_EXEC, bytes);
	if (what->ruling.verdict >= VERDICT_WOULD_BLOCK)
		problem = verdicts.ringbuf_output(&out->record, bytes, 0);
	else
		problem = records.ringbuf_output(&out->record, bytes, 0);
	if (problem)
		count_lost(RECORD_EXEC);
	lock_xadd(&out->busy, -1);
}
