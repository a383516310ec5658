/* SPDX-License-Identifier: Apache-2.0 */
/* spawn PROGRAM [ARGUMENT...]: starts PROGRAM by posix_spawn and waits for it. */
#include "driver.h"
#include <spawn.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	int status;
	pid_t child;

	if (argc < 2)
		return EXIT_FAILURE;
	errno = posix_spawn(&child, argv[1], NULL, NULL, argv + 1, environ);
	check(!errno, argv[1]);
	check(waitpid(child, &status, 0) == child, "waitpid");
	return WEXITSTATUS(status);
}
