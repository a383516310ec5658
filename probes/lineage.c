// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Children and ends of what is followed. A child is followed from before its
 * first instruction on, whatever it does to its ancestry later: setsid, double
 * fork and exec change nothing here.
 */
#include "events.h"
#include "read.h"
#include "tables.h"
#include "undisturbed.h"

/* include/linux/sched/signal.h */
#define SIGNAL_GROUP_EXIT 0x00000004

static inline void emit_fork(struct member *member, u32 pid, u32 parent_pid, u64 parent_started_ns)
{
	struct fork_record *out = records.ringbuf_reserve(sizeof(*out));

	if (!out) {
		count_lost(RECORD_FORK);
		return;
	}
	fill_head(&out->head, member, pid, RECORD_FORK, sizeof(*out));
	out->started_ns = member->started_ns;
	out->parent_started_ns = parent_started_ns;
	out->parent_pid = parent_pid;
	out->uid = bpf_get_current_uid_gid();
	copy_tools(out->tools, member);
	records.ringbuf_submit(out, 0);
}

static inline void see_fork(struct task_struct *parent_task, struct task_struct *child)
{
	u32 parent_pid = current_pid(), pid;
	struct member *parent = member_of(parent_pid);
	struct member member = {};

	if (!parent)
		return;
	pid = READ(child, tgid);
	if (pid == parent_pid) /* a thread */
		return;
	member.started_ns = READ(child, start_boottime);
	member.root_started_ns = parent->root_started_ns;
	member.root_pid = parent->root_pid;
	member.paths = parent->paths;
	copy_tools(member.tools, parent);
	/* The child cannot be reached from here; whoever makes more of them can. */
	if (add_member(pid, &member) && fails_closed(parent_task, &member))
		bpf_send_signal(SIGKILL);
	emit_fork(&member, pid, parent_pid, parent->started_ns);
}

/* raw_tp/sched_process_fork: (struct task_struct *parent, struct task_struct *child) */
int seen_fork(struct bpf_raw_tracepoint_args *ctx)
{
	if (begin(this_thread()))
		return 0;
	see_fork((void *)ctx->args[0], (void *)ctx->args[1]);
	disturbed();
	return 0;
}

/* The status that wait(2) will report, from the last thread of a process. */
static inline u32 wait_status(struct task_struct *task)
{
	struct signal_struct *signal = READ(task, signal);

	if (READ(signal, flags) & SIGNAL_GROUP_EXIT)
		return READ(signal, group_exit_code);
	return READ(READ(task, group_leader), exit_code);
}

static inline void see_exit(struct task_struct *task)
{
	u32 pid = current_pid();
	struct member *found = member_of(pid), member;
	struct exit_record *out;

	if (!found)
		return;
	if (READ(READ(task, signal), live_counter))
		return;
	member = *found;
	remove_member(pid);
	out = records.ringbuf_reserve(sizeof(*out));
	if (!out) {
		count_lost(RECORD_EXIT);
		return;
	}
	fill_head(&out->head, &member, pid, RECORD_EXIT, sizeof(*out));
	out->started_ns = member.started_ns;
	out->status = wait_status(task);
	out->reserved = 0;
	records.ringbuf_submit(out, 0);
}

/* raw_tp/sched_process_exit: (struct task_struct *p), once a thread */
int seen_exit(struct bpf_raw_tracepoint_args *ctx)
{
	if (begin(this_thread()))
		return 0;
	see_exit((void *)ctx->args[0]);
	disturbed();
	return 0;
}
