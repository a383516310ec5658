// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A new image, seen after the point of no return and before its first
 * instruction, from the side of the process that runs it. Sees execve,
 * execveat and every binary format. Misses nothing that becomes an image; what
 * is mapped by a running one (dlopen, an interpreter's own loader) is none.
 */
#include "events.h"
#include "marks.h"
#include "read.h"
#include "tables.h"

/* A candidate outside every session is the root of one, until user space says otherwise. */
static inline struct member *found_member(struct task_struct *task, u32 pid)
{
	struct member member = {};

	member.started_ns = READ(READ(task, group_leader), start_boottime);
	member.root_started_ns = member.started_ns;
	member.root_pid = pid;
	if (members.update(&pid, &member))
		count_lost(LOST_MEMBER);
	return members.lookup(&pid);
}

/* raw_tp/sched_process_exec: (struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
int seen_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	u32 pid = current_pid(), signals = 0;
	struct member *member = member_of(pid);
	struct mark mark = {}, *by_name;
	struct comm comm = {};

	if (member) {
		emit_exec(task, bprm, member, mark, SIGNAL_SESSION);
		return 0;
	}
	/*
	 * begin_new_exec() (fs/exec.c) has just set comm to the basename of the
	 * name as typed, and no instruction has run that could change it.
	 */
	bpf_get_current_comm(&comm, sizeof(comm));
	by_name = names.lookup(&comm);
	if (by_name) {
		mark = *by_name;
		signals = SIGNAL_NAME;
	} else {
		mark = judge(READ(bprm, file));
		if (mark.tool)
			signals = SIGNAL_FILE;
	}
	if (!mark.tool && (mark.flags & MARK_INTERPRETERS)) {
		mark = judge_arguments(READ(task, mm), mark.flags);
		if (mark.tool)
			signals = SIGNAL_ARGUMENT;
	}
	if (!mark.tool)
		return 0;
	if (!in_scope())
		return 0;
	member = found_member(task, pid);
	if (member)
		emit_exec(task, bprm, member, mark, signals);
	return 0;
}
