/* SPDX-License-Identifier: Apache-2.0 */
/* vfork PROGRAM [ARGUMENT...]: starts PROGRAM by vfork and waits for it. */
#include "driver.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
	int status;
	pid_t child;

	if (argc < 2)
		return EXIT_FAILURE;
	child = vfork();
	if (!child) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	check(waitpid(child, &status, 0) == child, "waitpid");
	return WEXITSTATUS(status);
}
