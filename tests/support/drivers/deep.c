/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deep STEPS PROGRAM NAME: goes down STEPS folders with long names, makes those
 * that are missing, and executes a hard link of PROGRAM there as ./NAME. No
 * path that names it from the root would be accepted by a system call.
 */
#include "driver.h"
#include <sys/stat.h>

int main(int argc, char **argv)
{
	char folder[201], name[256];
	int steps;

	if (argc < 4)
		return EXIT_FAILURE;
	memset(folder, 'd', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	for (steps = atoi(argv[1]); steps > 0; steps--) {
		check(!mkdir(folder, 0755) || errno == EEXIST, "mkdir");
		check(!chdir(folder), "chdir");
	}
	check(!link(argv[2], argv[3]) || errno == EEXIST, "link");
	snprintf(name, sizeof(name), "./%s", argv[3]);
	execl(name, name, NULL);
	check(0, name);
}
