/* SPDX-License-Identifier: Apache-2.0 */
/* finish STATUS | finish -SIGNAL: ends with that status, or by that signal. */
#include "driver.h"
#include <signal.h>

int main(int argc, char **argv)
{
	int how = argc > 1 ? atoi(argv[1]) : 0;

	if (how < 0)
		raise(-how);
	return how;
}
