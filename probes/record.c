// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The record of an execution: who, what file, from where, with which words.
 * All of it from the kernel's own copies, but for argv (see put_argv).
 */
#include "events.h"
#include "marks.h"
#include "path.h"
#include "tables.h"

/* What is told of an image beside its names. */
struct telling {
	struct mark mark;
	u32 signals;
	u32 flags; /* EXEC_* */
	struct ruling ruling;
	struct script_key script;
};

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

/*
 * Of a refused image argv is not told: it is not this process's, but of an address
 * space to come. Returns 0 where the record is on its way.
 */
static inline int emit_exec(struct task_struct *task, struct linux_binprm *bprm,
			    struct member *member, const struct telling *what)
{
	struct exec_buffer *out = claim_exec_buffer();
	struct file *file = READ(bprm, file);
	u64 bytes, problem;

	if (!out) {
		count_lost(RECORD_EXEC);
		return -1;
	}
	__builtin_memset(&out->record, 0, sizeof(out->record));
	out->used = 0;
	out->record.tool = what->mark.tool;
	out->record.signals = what->signals;
	out->record.flags = what->flags;
	out->record.ruling = what->ruling;
	out->record.script_hash = what->script.hash;
	out->record.script_ino = what->script.ino;
	out->record.script_dev = what->script.dev;
	out->record.script_mntns = what->script.mntns;
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
	return problem != 0;
}
