/* SPDX-License-Identifier: Apache-2.0 */
/* enter NAMESPACE PROGRAM [ARGUMENT...]: becomes PROGRAM, in that network namespace. */
#include "driver.h"
#include <fcntl.h>
#include <sched.h>

int main(int argc, char **argv)
{
	int namespace;

	if (argc < 3)
		return EXIT_FAILURE;
	namespace = open(argv[1], O_RDONLY | O_CLOEXEC);
	check(namespace >= 0, argv[1]);
	check(!setns(namespace, CLONE_NEWNET), argv[1]);
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
