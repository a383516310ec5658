/* SPDX-License-Identifier: Apache-2.0 */
/* execveat FOLDER NAME: executes NAME below a descriptor of FOLDER. */
#include "driver.h"
#include <fcntl.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
	char *args[] = { argc > 2 ? argv[2] : NULL, NULL };
	int folder;

	if (argc < 3)
		return EXIT_FAILURE;
	folder = open(argv[1], O_PATH | O_DIRECTORY);
	check(folder >= 0, argv[1]);
	/* Static glibc of older releases has no wrapper. */
	syscall(SYS_execveat, folder, argv[2], args, environ, 0);
	check(0, "execveat");
}
