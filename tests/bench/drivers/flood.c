/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood COUNT RATE: calls connect(2) on a datagram socket COUNT times, RATE a
 * second (0: as fast as it goes), in a network of its own. Nothing is sent. Each
 * time it is another address: of a socket each is told once.
 */
#include "loopback.h"

#define PORT_DISCARD 9
#define SLICES 1000	/* a second */

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = loopback(PORT_DISCARD);
	struct timespec slice = { .tv_nsec = 1000000000 / SLICES };
	double started, rate;
	long count, done;
	int fd;

	if (argc < 3)
		return EXIT_FAILURE;
	count = atol(argv[1]);
	rate = atof(argv[2]);
	enter_loopback();
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	started = now();
	for (done = 0; done < count; done++) {
		while (rate > 0 && done > (now() - started) * rate)
			nanosleep(&slice, NULL);
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + done);
		check(!connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
	}
	printf("%.6f\n", now() - started);
	return 0;
}
