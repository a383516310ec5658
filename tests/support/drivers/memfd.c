/* SPDX-License-Identifier: Apache-2.0 */
/* memfd PROGRAM NAME: copies PROGRAM to memory and executes the copy as NAME. */
#include "driver.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	char *args[] = { argc > 2 ? argv[2] : NULL, NULL };
	struct stat from;
	int file, memory;

	if (argc < 3)
		return EXIT_FAILURE;
	file = open(argv[1], O_RDONLY | O_CLOEXEC);
	memory = memfd_create(argv[2], MFD_CLOEXEC);
	check(file >= 0 && memory >= 0 && !fstat(file, &from), argv[1]);
	while (from.st_size > 0) {
		ssize_t sent = sendfile(memory, file, NULL, from.st_size);

		check(sent > 0, "sendfile");
		from.st_size -= sent;
	}
	fexecve(memory, args, environ);
	check(0, "fexecve");
}
