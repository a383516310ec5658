// SPDX-License-Identifier: Apache-2.0
/*
 * Prints how fast this machine's time stamp counter runs, in kHz. A translated
 * guest has the same counter, and cannot find this out by itself where other
 * work keeps it from the processor meanwhile: its clock then runs several
 * times too fast.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define APART_NS	100000000
#define TRIES		20

struct reading {
	uint64_t at_ns;
	uint64_t ticks;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Of several readings the one in which the least time passed between clock and counter. */
static struct reading read_both(void)
{
	struct reading best = { 0 };
	uint64_t shortest_ns = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before_ns = now_ns();
		uint64_t ticks = __rdtsc();
		uint64_t took_ns = now_ns() - before_ns;

		if (took_ns < shortest_ns) {
			shortest_ns = took_ns;
			best = (struct reading){ before_ns + took_ns / 2, ticks };
		}
	}
	return best;
}

int main(void)
{
	struct timespec apart = { .tv_nsec = APART_NS };
	struct reading first = read_both();

	nanosleep(&apart, NULL);
	struct reading last = read_both();

	printf("%.0f\n", (last.ticks - first.ticks) * 1e6 / (last.at_ns - first.at_ns));
	return 0;
}
