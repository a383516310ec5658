/* SPDX-License-Identifier: Apache-2.0 */
/* daemon: forks twice and leaves its session; the grandchild stays until standard input ends. */
#include "driver.h"

int main(void)
{
	pid_t child = fork();

	check(child >= 0, "fork");
	if (child)
		return 0;
	check(setsid() >= 0, "setsid");
	child = fork();
	check(child >= 0, "fork");
	if (!child)
		wait_for_end_of_input();
	return 0;
}
