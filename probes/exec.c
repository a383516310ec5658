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
	add_member(pid, &member);
	return members.lookup(&pid);
}

/* raw_tp/sched_process_exec: (struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
int seen_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	u32 pid = current_pid();
	struct member *member = member_of(pid);
	struct answer_of_file image = {};

	if (unlikely(member != 0)) {
		emit_exec(task, bprm, member, image.mark, SIGNAL_SESSION);
		return 0;
	}
	judge(&image, READ(bprm, file));
	if (unlikely(!image.mark.tool && (image.mark.flags & MARK_INTERPRETERS))) {
		image.mark = judge_arguments(READ(task, mm), image.mark.flags);
		if (image.mark.tool)
			image.signals = SIGNAL_ARGUMENT;
	}
	if (likely(!image.mark.tool))
		return 0;
	if (!in_scope())
		return 0;
	member = found_member(task, pid);
	if (member)
		emit_exec(task, bprm, member, image.mark, image.signals);
	return 0;
}
