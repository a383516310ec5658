// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who is followed, and the way out to user space. The other units stand on
 * this one: the loader joins them in the order of sensor/daemon/loader.py.
 */
#include "events.h"
#include "marks.h"
#include "read.h"
#include "tables.h"

/* Processes of all sessions at once; pid_max of a big host is 4 million. */
#define MEMBERS 32768
/* 2 MiB: a burst of 400 executions with full argv, or 20,000 connections. */
#define RING_PAGES 512

BPF_RINGBUF_OUTPUT(records, RING_PAGES);
BPF_PERCPU_ARRAY(lost, u64, LOST_SLOTS);
BPF_HASH(members, u32, struct member, MEMBERS);
/* Slot 0: the cgroup below which candidates are looked for. */
BPF_CGROUP_ARRAY(scope, 1);

/* The ring buffer has no callback for a failed reserve: counted here, by kind. */
static inline void count_lost(u32 slot)
{
	u64 *count = lost.lookup(&slot);

	if (count)
		(*count)++;
}

static inline struct member *member_of(u32 pid)
{
	return members.lookup(&pid);
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
