/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold HOST PORT: keeps a TCP connection open until standard input ends, and
 * says with an empty line that it is open.
 */
#include "driver.h"

int main(int argc, char **argv)
{
	struct target to;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	connected(&to, SOCK_STREAM);
	check(write(STDOUT_FILENO, "\n", 1) == 1, "write");
	wait_for_end_of_input();
	return 0;
}
