// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The first entry of a list that is about whoever acts.
 */
#include "policy.h"
#include "read.h"
#include "tables.h"

/* Of each bank. */
#define ENTRIES 16384
#define NO_RULE 0x10000

BPF_ARRAY(entries, struct entry, 2 * ENTRIES);

/* See struct entry; what nothing was said about comes last. */
#define NO_CHOICE (~0ULL)

static inline u8 verdict_of(u64 choice)
{
	return choice == NO_CHOICE ? VERDICT_NONE : choice >> 8 & 0xff;
}

static inline u32 confines(u64 choice)
{
	return choice != NO_CHOICE && (choice & ENTRY_CONFINES);
}

/* A time, where it is not 0, has come. */
static inline u64 has_ended(u64 end_ns, u64 now_ns)
{
	return (end_ns - 1 - now_ns) >> 63 & ~(end_ns - 1) >> 63;
}

/*
 * A choice of which the verifier knows nothing more, so that the paths to it merge. No host
 * runs for 292 years; the verifier does not know that.
 */
static inline u64 blurred(u64 choice, u64 now_ns)
{
	FORGET(now_ns);
	return choice ^ -(now_ns >> 63);
}

/*
 * The first entry of a list that holds. Only a task can be the canary; a packet
 * is none. One branch an entry: the verifier follows each.
 */
static inline u64 choose(const struct span *span, u64 holds, u16 port_be, u64 now_ns, u64 canary,
			 u64 trusted)
{
	u64 found = NO_CHOICE, skipped = NO_RULE, start = span->start, count = span->count;

	for (u64 i = 0; i < ENTRIES_OF_LIST; i++) {
		u64 at = start + i, rule, differs;
		struct entry *entry;

		FORGET(count);
		if (i >= count)
			break;
		entry = entries.lookup((u32 *)&at);
		if (!entry)
			break;
		rule = entry->choice >> 16 & 0xffff;
		differs = entry->conditions & ~holds;
		differs |= (entry->port_be ^ port_be) & entry->port_mask;
		differs |= has_ended(entry->end_ns, now_ns);
		differs |= is_zero(rule ^ skipped);
		differs |= (entry->choice & ENTRY_TRUSTED) & ~(trusted * ENTRY_TRUSTED);
		differs |= is_zero(rule ^ RULE_CANARY) & ~canary;
		if (differs)
			continue;
		if (verdict_of(entry->choice) != VERDICT_SKIP) {
			found = entry->choice;
			break;
		}
		skipped = rule;
	}
	return blurred(found, now_ns);
}

static inline u64 is_canary(void)
{
	u64 cgroup = state_of(STATE_CANARY);

	return cgroup && cgroup == bpf_get_current_cgroup_id();
}

static inline void fill_ruling(struct ruling *ruling, const struct policy *policy, u64 choice)
{
	if (choice == NO_CHOICE)
		return;
	ruling->policy = policy->generation;
	ruling->rule = choice >> 16;
	ruling->verdict = choice >> 8;
}
