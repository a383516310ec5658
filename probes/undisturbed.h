/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel leaves a tracepoint's program out on a CPU where it has begun and not ended (since
 * 05b24ff9b2cf, Linux 6.1). An interrupt can come amid one and change the state of another socket;
 * from Linux 7.0 on (a46023d5616e) another task can. So behind such programs stands a second one of
 * the same code, a stand-by (turns.c), and what they do lies between undisturbed() and disturbed(),
 * which keep other tasks off.
 *
 * The numbers called here are of no helper: the loader puts the kernel's functions in their
 * places, and constants; where none of it is needed, nothing (sensor/wire/code.py).
 */
#ifndef PROBES_UNDISTURBED_H
#define PROBES_UNDISTURBED_H

#include <linux/types.h>

static void (*preempt_disable)(void) = (void *)0x7f000001;
static void (*preempt_enable)(void) = (void *)0x7f000002;
static void (*local_irq_save)(__u64 *flags) = (void *)0x7f000003;
static void (*local_irq_restore)(__u64 *flags) = (void *)0x7f000004;
static __u64 (*turn_of_this)(void) = (void *)0x7f000005;

enum turn {
	TURN_ALONE, /* it has no stand-by */
	TURN_FIRST,
	TURN_AGAIN, /* the stand-by */
};

static inline void undisturbed(void)
{
	if (turn_of_this() != TURN_ALONE)
		preempt_disable();
}

/*
 * Whoever is to be pushed aside would be at once, still within the program. Not while interrupts
 * are held off: then it comes to that at the next occasion, which is behind the program.
 */
static inline void disturbed(void)
{
	__u64 flags;

	if (turn_of_this() == TURN_ALONE)
		return;
	local_irq_save(&flags);
	preempt_enable();
	local_irq_restore(&flags);
}

#endif
