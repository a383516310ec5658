/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repeat COUNT PAUSE_US PROGRAM [ARGUMENT...]: starts PROGRAM by posix_spawn and
 * waits for it, COUNT times. A %d in PROGRAM or in its first ARGUMENT is the number of the turn.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char program[4096], first[4096];
	char *pattern, *argument;
	int count, pause_us, status;
	pid_t child;

	if (argc < 4)
		return EXIT_FAILURE;
	count = atoi(argv[1]);
	pause_us = atoi(argv[2]);
	pattern = argv[3];
	argument = argv[4];
	argv[3] = program;
	if (argument)
		argv[4] = first;
	for (int turn = 0; turn < count; turn++) {
		snprintf(program, sizeof(program), pattern, turn);
		if (argument)
			snprintf(first, sizeof(first), argument, turn);
		errno = posix_spawn(&child, program, NULL, NULL, argv + 3, environ);
		if (errno || waitpid(child, &status, 0) != child || status) {
			perror(program);
			return EXIT_FAILURE;
		}
		if (pause_us)
			usleep(pause_us);
	}
	return 0;
}
