// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whose turn it is: of two programs of the same code at one tracepoint the second one does what the
 * first was not run for (undisturbed.h).
 */
#include "events.h"
#include "tables.h"
#include "undisturbed.h"

/*
 * For whom the first program was run, until the stand-by has seen that. Of two whose numbers are
 * apart by a multiple of this, and which are between the two programs at the same time, one is seen
 * twice. Where the stand-by is left out, its note stays, and whoever has that number next and is
 * missed by the first is seen by neither: that is told as missed. It takes 512 KiB.
 */
#define TURNS 65536
BPF_ARRAY(turns, u32, TURNS);

static inline u32 this_thread(void)
{
	return bpf_get_current_pid_tgid();
}

/* Threads have numbers below this. Objects lie apart by a cache line at least. */
#define TURN_OF_OBJECT (1U << 31)

/* Of one object the changes have numbers of their own, below that size. */
static inline u32 this_change(const void *object, u32 change)
{
	return ((u64)object >> 6) + change | TURN_OF_OBJECT;
}

/*
 * Where it returns other than 0, the first program was run: there is nothing left to do. A stand-by
 * counts in the place of LOST_MISSED for whom it was run instead.
 */
static inline int begin(u32 whose)
{
	u64 turn = turn_of_this();
	u32 slot = whose % TURNS;
	volatile u32 *taken;

	if (turn == TURN_ALONE)
		return 0;
	taken = turns.lookup(&slot);
	if (!taken)
		return -1;
	if (turn == TURN_AGAIN && *taken == whose) {
		*taken = 0;
		return 1;
	}
	undisturbed();
	if (turn == TURN_FIRST)
		*taken = whose;
	else
		count_lost(LOST_MISSED);
	return 0;
}
