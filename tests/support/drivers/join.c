/* SPDX-License-Identifier: Apache-2.0 */
/* join PROCS PROGRAM [ARGUMENT...]: becomes PROGRAM, in the cgroup that PROCS lists. */
#include "driver.h"
#include <fcntl.h>

int main(int argc, char **argv)
{
	int procs;

	if (argc < 3)
		return EXIT_FAILURE;
	procs = open(argv[1], O_WRONLY | O_CLOEXEC);
	check(procs >= 0, argv[1]);
	check(write(procs, "0", 1) == 1, argv[1]);
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
