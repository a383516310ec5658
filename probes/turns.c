// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whose turn it is: of two programs of the same code at one tracepoint the second one does what the
 * first was not run for (undisturbed.h).
 */
#include "events.h"
#include "tables.h"
#include "undisturbed.h"

/*
 * Whose first program was run, by thread, until its stand-by has seen that. Of two threads whose
 * numbers are apart by a multiple of this, and which are between the two programs at the same time,
 * one is told twice. It takes 512 KiB.
 */
#define TURNS 65536
BPF_ARRAY(turns, u32, TURNS);

/*
 * Where it returns other than 0, the first program was run: there is nothing left to do. A stand-by
 * counts in the place of LOST_MISSED whom it has seen instead.
 */
static inline int begin(void)
{
	u64 turn = turn_of_this();
	volatile u32 *taken;
	u32 thread, slot;

	if (turn == TURN_ALONE)
		return 0;
	thread = bpf_get_current_pid_tgid();
	slot = thread % TURNS;
	taken = turns.lookup(&slot);
	if (!taken)
		return -1;
	if (turn == TURN_AGAIN && *taken == thread) {
		*taken = 0;
		return 1;
	}
	undisturbed();
	if (turn == TURN_FIRST)
		*taken = thread;
	else
		count_lost(LOST_MISSED);
	return 0;
}
