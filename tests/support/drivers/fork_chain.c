/* SPDX-License-Identifier: Apache-2.0 */
/* fork_chain LENGTH PROGRAM [ARGUMENT...]: child of child of ... child executes PROGRAM. */
#include "driver.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
	int length, status;
	pid_t child;

	if (argc < 3)
		return EXIT_FAILURE;
	for (length = atoi(argv[1]); length > 0; length--) {
		child = fork();
		check(child >= 0, "fork");
		if (child) {
			check(waitpid(child, &status, 0) == child, "waitpid");
			return WEXITSTATUS(status);
		}
	}
	execv(argv[2], argv + 2);
	check(0, argv[2]);
}
