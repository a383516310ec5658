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

/* Threads have numbers below this. */
#define TURN_OF_SOCKET (1U << 31)

/* A socket of TCP is larger than 64 bytes times the states. */
static inline u32 this_state(const struct sock *sk, u32 state)
{
	return ((u64)sk >> 6) + state | TURN_OF_SOCKET;
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
