// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is followed, and the way out to user space. The other units stand on
 * this one: the loader joins them in the order of sensor/wire/programs.py.
 */
#include "events.h"
#include "marks.h"
#include "read.h"
#include "tables.h"

/* Processes of all sessions at once; pid_max of a big host is 4 million. */
#define MEMBERS 32768
/* 2 MiB: a burst of 400 executions with full argv, or 20,000 connections. */
#define RING_PAGES 512
#define VERDICT_PAGES 64
/*
 * Buffers of a CPU: a program of a security module can be pushed aside by
 * another task's, and that one by a tracepoint's.
 */
#define BUFFERS 3

BPF_RINGBUF_OUTPUT(records, RING_PAGES);
/* What was refused, or would have been: no flood of the rest pushes it out. 256 KiB. */
BPF_RINGBUF_OUTPUT(verdicts, VERDICT_PAGES);
BPF_PERCPU_ARRAY(lost, u64, LOST_SLOTS);
/* What of `lost` is in the stream; user space's alone, here to outlive it. */
struct told {
	u64 counts[LOST_SLOTS];
};
BPF_ARRAY(told, struct told, 1);
BPF_HASH(members, u32, struct member, MEMBERS);
/*
 * What every hook asks first, in one cache line. How many members there are is
 * a sum: user space adds and removes members too, and only it writes its slot.
 * While the sum is 0, a hook costs one read.
 */
enum state_slot {
	STATE_KERNEL_MEMBERS,
	STATE_USER_MEMBERS,
	STATE_GENERATION, /* moves when user space has filled `names` and `words` */
	STATE_POLICY,	  /* generation of the policy in force, 0: none */
	STATE_CANARY,	  /* cgroup in which the sensor proves that it enforces */
	STATE_PLACES,	  /* how many folders `places` has */
	STATE_SEED,	  /* of hashes of names and words: nobody can look for two alike */
	STATE_WATCH,	  /* what user space wants to know beyond policy */
	STATE_CATALOGUE,  /* by which `inodes` was filled; user space's alone */
	STATE_SLOTS,
};
BPF_ARRAY(state, u64, STATE_SLOTS);
/* Bits of STATE_WATCH. */
#define WATCH_CONTENT 1 /* large files that no name settles */
#define WATCH_SCRIPTS 2 /* scripts that no name settles */
/* Slot 0: the cgroup below which candidates are looked for. */
BPF_CGROUP_ARRAY(scope, 1);

/*
 * The ring buffer has no callback for a failed reserve: counted here, by kind. An interrupt may
 * do so too meanwhile.
 */
static inline void count_lost(u32 slot)
{
	u64 *count = lost.lookup(&slot);

	if (count)
		lock_xadd(count, 1);
}

static inline u64 state_of(u32 slot)
{
	u64 *value = state.lookup(&slot);

	return value ? *value : 0;
}

/* What the hash of nothing is. */
static inline u64 seed_of_hashes(void)
{
	return HASH_SEED ^ state_of(STATE_SEED);
}

static inline u32 generation(void)
{
	return state_of(STATE_GENERATION);
}

static inline void count_member(u64 change)
{
	u32 slot = STATE_KERNEL_MEMBERS;
	u64 *count = state.lookup(&slot);

	if (count)
		lock_xadd(count, change);
}

static inline int is_anybody_followed(void)
{
	return state_of(STATE_KERNEL_MEMBERS) + state_of(STATE_USER_MEMBERS) != 0;
}

static inline struct member *member_of(u32 pid)
{
	if (!is_anybody_followed())
		return 0;
	return members.lookup(&pid);
}

/*
 * Counted before it is there, so that the sum is never 0 while somebody is
 * followed. Returns other than 0 where there is no room.
 */
static inline int add_member(u32 pid, struct member *member)
{
	count_member(1);
	if (!members.insert(&pid, member))
		return 0;
	count_member(-1);
	/* There is an entry, whose end was missed; or the table is full. */
	if (!members.update(&pid, member))
		return 0;
	count_lost(LOST_MEMBER);
	return -1;
}

static inline void remove_member(u32 pid)
{
	if (!members.delete(&pid))
		count_member(-1);
}

static inline u32 current_pid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

static inline int in_scope(void)
{
	return scope.check_current_task(0) == 1;
}

static inline void fill_head(struct record_head *head, const struct member *member, u32 pid,
			     u16 kind, u32 size)
{
	head->at_ns = bpf_ktime_get_boot_ns();
	head->root_started_ns = member->root_started_ns;
	head->root_pid = member->root_pid;
	head->pid = pid;
	head->kind = kind;
	head->reserved = 0;
	head->size = size;
}

/* Notes that a process runs a tool, within all those whose sessions it is in already. */
static inline void enter_tool(struct member *member, u32 tool)
{
	if (member->tools[0] == tool || member->tools[1] == tool || member->tools[2] == tool)
		return;
	if (!member->tools[0])
		member->tools[0] = tool;
	else if (!member->tools[1])
		member->tools[1] = tool;
	else if (!member->tools[2])
		member->tools[2] = tool;
	else
		member->tools[3] = tool;
}

static inline void copy_tools(u16 *to, const struct member *member)
{
	for (int i = 0; i < CHAIN; i++)
		to[i] = member->tools[i];
}
