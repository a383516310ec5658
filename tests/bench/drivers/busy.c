/* SPDX-License-Identifier: Apache-2.0 */
/*
 * busy COUNT PROGRAM: what an agent does, COUNT times: starts a program with a
 * few arguments, waits for it, and connects over TCP to a listener of its own.
 */
#include "loopback.h"
#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

static void start(char *program)
{
	char *argv[] = { program, "-c", "git diff --stat HEAD~3 -- src include", "x", NULL };
	int status;
	pid_t child;

	errno = posix_spawn(&child, program, NULL, NULL, argv, environ);
	check(!errno && waitpid(child, &status, 0) == child && !status, program);
}

static void dial(int listener, const struct sockaddr_in *to)
{
	int ours = socket(AF_INET, SOCK_STREAM, 0), theirs;

	check(!connect(ours, (const struct sockaddr *)to, sizeof(*to)), "connect");
	theirs = accept(listener, NULL, NULL);
	check(theirs >= 0 && write(theirs, "hello", 5) == 5, "accept");
	close(ours);
	close(theirs);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = loopback(0);
	socklen_t bytes = sizeof(to);
	int listener;

	if (argc < 3)
		return EXIT_FAILURE;
	enter_loopback();
	listener = socket(AF_INET, SOCK_STREAM, 0);
	check(!bind(listener, (struct sockaddr *)&to, bytes) && !listen(listener, 16), "listen");
	check(!getsockname(listener, (struct sockaddr *)&to, &bytes), "getsockname");
	for (int count = atoi(argv[1]); count > 0; count--) {
		start(argv[2]);
		dial(listener, &to);
	}
	return 0;
}
