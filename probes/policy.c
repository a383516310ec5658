// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who acts, in the terms of policy: a mask of the conditions that hold
 * (probes/policy.h). Nothing here waits for user space.
 */
#include "policy.h"
#include "read.h"
#include "tables.h"

/* Levels of cgroups that are walked from the leaf; deeper ones escape what is said of a top one. */
#define CGROUP_DEPTH 40
/* Catalogue indexes: user space has a test that its own stay below. */
#define TOOLS 1024

BPF_ARRAY(policies, struct policy, 2);
BPF_ARRAY(tools, struct tool_rules, 2 * TOOLS);
BPF_ARRAY(path_conditions, u64, 2 * PLACES);
BPF_F_TABLE("hash", struct banked_key, u64, users, 16384, BPF_F_NO_PREALLOC);
BPF_F_TABLE("hash", struct banked_key, u64, cgroups, 1024, BPF_F_NO_PREALLOC);

/* Who acts, as far as the kernel has to ask. */
struct actor {
	u16 tools[CHAIN];
	u32 uid;
	u32 paths;
	u32 inside; /* a container */
	u32 reserved;
	u64 cgroup; /* further conditions that hold where it is */
};

static inline struct policy *policy_in_force(void)
{
	u64 bank = state_of(STATE_POLICY);

	if (likely(!bank))
		return 0;
	bank &= 1;
	return policies.lookup((u32 *)&bank);
}

static inline u32 bank_of(const struct policy *policy)
{
	return policy->generation & 1;
}

static inline struct tool_rules *rules_of_tool(u32 tool, u32 bank)
{
	u64 slot = tool * 2 + bank;

	return tools.lookup((u32 *)&slot);
}

/* What holds for a user who is in these sessions; in none, for whoever is in none. */
static inline u64 conditions_of_tools(const u16 *chain, u32 bank)
{
	u64 holds = 0;

	for (int i = 0; i < CHAIN; i++) {
		struct tool_rules *rules;

		if (i && !chain[i])
			break;
		rules = rules_of_tool(chain[i], bank);
		if (rules)
			holds |= rules->conditions;
	}
	return holds;
}

static inline u64 conditions_of_user(const struct policy *policy, u32 uid)
{
	struct banked_key key = {.id = uid, .bank = bank_of(policy)};
	u64 *found = users.lookup(&key);

	return found ? *found : policy->any_user;
}

static inline u64 conditions_of_paths(const struct policy *policy, u32 paths)
{
	u64 holds = policy->any_path;

	for (u32 bit = 0; bit < PLACES; bit++) {
		u64 slot = bit * 2 + bank_of(policy);
		u64 *found;

		if (!(paths >> bit & 1))
			continue;
		found = path_conditions.lookup((u32 *)&slot);
		if (found)
			holds |= *found;
	}
	return holds;
}

static inline u64 conditions_of_cgroup(const struct policy *policy, u64 id)
{
	struct banked_key key = {.id = id, .bank = bank_of(policy)};
	u64 *found = cgroups.lookup(&key);

	return found ? *found : 0;
}

/* What holds in the cgroup of a task and in all that it lies in, from the leaf up. */
static inline u64 conditions_of_task(const struct policy *policy, struct task_struct *task)
{
	struct cgroup *cgroup = READ(READ(task, cgroups), dfl_cgrp);
	struct kernfs_node *node = READ(cgroup, kn);
	u64 holds = 0;

	for (int level = 0; level < CGROUP_DEPTH; level++) {
		if (!node)
			break;
		holds |= conditions_of_cgroup(policy, READ(node, id));
		node = READ(node, parent);
	}
	return holds;
}

/* All conditions that hold for whoever acts. */
static inline u64 conditions_of(const struct policy *policy, const struct actor *actor)
{
	u64 holds = conditions_of_tools(actor->tools, bank_of(policy));

	if (policy->flags & POLICY_USER)
		holds &= conditions_of_user(policy, actor->uid);
	if (policy->flags & POLICY_PATH)
		holds &= conditions_of_paths(policy, actor->paths);
	if (policy->flags & POLICY_CGROUP)
		holds &= policy->any_cgroup | actor->cgroup;
	if (policy->flags & POLICY_INSIDE)
		holds &= actor->inside ? policy->inside : policy->outside;
	return holds;
}

/* Fills in where a task is, as far as policy asks. */
static inline void fill_place(const struct policy *policy, struct actor *actor,
			      struct task_struct *task)
{
	if (policy->flags & POLICY_CGROUP)
		actor->cgroup = conditions_of_task(policy, task);
	if (policy->flags & POLICY_INSIDE)
		actor->inside = READ(READ(task, thread_pid), level) != 0;
}
