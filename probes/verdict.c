// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether an execution is refused, for those who see it: before it commits
 * (lsm.c), or after that and before its first instruction (exec.c).
 */
#include "events.h"
#include "marks.h"
#include "policy.h"
#include "read.h"

/*
 * Judges the execution of a tool, where the kernel alone is sure that it is
 * one. Nobody outside the scope is ever refused anything.
 */
static inline void rule_exec(struct ruling *ruling, struct task_struct *task, struct mark mark,
			     u32 paths)
{
	struct policy *policy = policy_in_force();
	struct tool_rules *rules;
	struct actor actor = {};

	if (!policy || !(policy->flags & POLICY_EXEC) || !(mark.flags & MARK_STRONG))
		return;
	if (!in_scope())
		return;
	rules = rules_of_tool(mark.tool, bank_of(policy));
	if (!rules)
		return;
	actor.tools[0] = mark.tool;
	actor.uid = bpf_get_current_uid_gid();
	actor.paths = paths;
	fill_place(policy, &actor, task);
	fill_ruling(ruling, policy,
		    choose(&rules->exec, conditions_of(policy, &actor), 0, bpf_ktime_get_boot_ns(),
			   is_canary(), 0));
}

/* Whether a process that cannot be followed for want of room is not to go on. */
static inline int fails_closed(struct task_struct *task, const struct member *member)
{
	struct policy *policy = policy_in_force();
	struct actor actor = {};

	if (!policy || !policy->closed || !in_scope())
		return 0;
	copy_tools(actor.tools, member);
	actor.uid = bpf_get_current_uid_gid();
	actor.paths = member->paths;
	fill_place(policy, &actor, task);
	return (conditions_of(policy, &actor) & policy->closed) != 0;
}

/* A process outside every session, as its records show it. */
static inline void fill_stranger(struct member *member, struct task_struct *task)
{
	member->started_ns = READ(READ(task, group_leader), start_boottime);
}
