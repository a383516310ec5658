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
#include "undisturbed.h"

/* include/uapi/asm-generic/signal.h */
#define SIGKILL 9

/* A candidate outside every session is the root of one, until user space says otherwise. */
static inline struct member *found_member(struct task_struct *task, u32 pid)
{
	struct member member = {};

	fill_stranger(&member, task);
	member.root_started_ns = member.started_ns;
	member.root_pid = pid;
	add_member(pid, &member);
	return members.lookup(&pid);
}

/* What names and arguments say of a new image. */
static inline void judge_image(struct answer_of_file *image, struct script_key *script,
			       struct task_struct *task, struct file *file)
{
	struct mark given;
	u32 flags;

	/* begin_new_exec() (fs/exec.c) has just set it to the basename of the name as typed. */
	bpf_get_current_comm(&image->typed, sizeof(image->typed));
	judge(image, file);
	if (likely(!(image->mark.flags & MARK_INTERPRETERS) || (image->mark.flags & MARK_STRONG)))
		return;
	wash(&image->mark, ANSWER_BYTES_OF_FILE);
	flags = image->mark.flags;
	given = judge_arguments(READ(task, mm), flags);
	/* A script can have a name that others bear too. */
	if (!image->mark.tool || (given.flags & MARK_STRONG)) {
		image->mark = given;
		if (given.tool)
			image->signals |= SIGNAL_ARGUMENT;
	}
	wash(&image->mark, ANSWER_BYTES_OF_FILE);
	if (!(image->mark.flags & MARK_STRONG))
		judge_script(image, script, task, flags);
	wash(&image->mark, ANSWER_BYTES_OF_FILE);
	wash(script, sizeof(*script));
}

/* Ends the process before it has run an instruction of the image. */
static inline void end_image(struct ruling *ruling)
{
	if (!bpf_send_signal(SIGKILL))
		ruling->enforcement = ENFORCED_KILL;
}

/* Follows the process, if it is not yet, and notes what it runs; it may be its own session's root.
 */
static inline struct member *enter_image(struct task_struct *task, struct member *member,
					 struct answer_of_file *image)
{
	if (!member)
		member = found_member(task, current_pid());
	if (member && (image->mark.flags & MARK_STRONG)) {
		enter_tool(member, image->mark.tool);
		member->paths = image->paths;
	}
	return member;
}

/* Ends a tool that cannot be followed for want of room, where a rule about it fails closed. */
static inline int is_ended_for_room(struct member *self, struct task_struct *task,
				    struct telling *what)
{
	enter_tool(self, what->mark.tool);
	if (!(what->mark.flags & MARK_STRONG) || !fails_closed(task, self))
		return 0;
	what->ruling.rule = RULE_FULL;
	what->ruling.verdict = VERDICT_BLOCK;
	end_image(&what->ruling);
	return 1;
}

/* What is told of an image beside its names, as far as no policy is asked. */
static inline void fill_telling(struct telling *what, const struct answer_of_file *image,
				const struct member *member)
{
	what->signals = (image->signals & ~(ANSWER_BITS | ANSWER_NEWS)) | (member ? SIGNAL_SESSION : 0);
	what->mark = image->mark;
	if (image->mark.tool && !(image->mark.flags & MARK_STRONG))
		what->flags |= EXEC_UNSURE;
	if (image->signals & ANSWER_NEW)
		what->flags |= EXEC_UNSEARCHED;
	if (image->signals & ANSWER_SCRIPT)
		what->flags |= EXEC_SCRIPT;
}

/* Has what was told not told again. */
static inline void note_told(const struct answer_of_file *image, struct telling *what)
{
	if (what->flags & EXEC_UNSEARCHED)
		note_asked(image);
	if (what->flags & EXEC_SCRIPT)
		note_shown(&what->script);
}

static inline void see_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	struct member *member, self = {};
	struct answer_of_file image = {};
	struct telling what = {};
	u32 is_news, brokered;

	judge_image(&image, &what.script, task, READ(bprm, file));
	member = member_of(current_pid());
	brokered = brokered_flag(task);
	/* In one word: of a pointer among them clang would make arithmetic. */
	is_news = image.mark.tool | (image.signals & ANSWER_NEWS) | brokered;
	FORGET(is_news);
	if (likely(!is_news && !member))
		return;
	if (!member && !in_scope())
		return;
	wash(&image.mark, ANSWER_BYTES_OF_FILE);
	fill_telling(&what, &image, member);
	what.flags |= brokered;
	wash(&what, sizeof(what));
	if (image.mark.tool)
		rule_exec(&what.ruling, task, image.mark, image.paths);
	fill_stranger(&self, task);
	if (what.ruling.verdict == VERDICT_BLOCK)
		end_image(&what.ruling);
	/* Where no signal can be sent it goes on, and is followed. */
	if (what.ruling.enforcement == ENFORCED_NOT && (image.mark.tool || brokered || member))
		member = enter_image(task, member, &image);
	if (member)
		self = *member;
	else if (image.mark.tool && what.ruling.verdict != VERDICT_BLOCK &&
		 !is_ended_for_room(&self, task, &what))
		return;
	wash(&what, sizeof(what));
	wash(&self, sizeof(self));
	if (!emit_exec(task, bprm, &self, &what))
		note_told(&image, &what);
}

/* raw_tp/sched_process_exec: (struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
int seen_exec(struct bpf_raw_tracepoint_args *ctx)
{
	if (begin(this_thread()))
		return 0;
	see_exec((void *)ctx->args[0], (void *)ctx->args[2]);
	disturbed();
	return 0;
}
