/* SPDX-License-Identifier: Apache-2.0 */
/* storm COUNT PROGRAM [BYTES]: executes PROGRAM COUNT times with arguments of about 8 KB. */
#include "driver.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
	static char bulk[8000];
	int count, status;
	pid_t child;

	if (argc < 3)
		return EXIT_FAILURE;
	memset(bulk, 'x', argc > 3 ? atoi(argv[3]) % sizeof(bulk) : sizeof(bulk) - 1);
	for (count = atoi(argv[1]); count > 0; count--) {
		child = vfork();
		if (!child) {
			execl(argv[2], argv[2], bulk, NULL);
			_exit(127);
		}
		check(waitpid(child, &status, 0) == child && !status, argv[2]);
	}
	return 0;
}
