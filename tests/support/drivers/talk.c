/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk HOST PORT SEND: sends SEND bytes over TCP, ends its half, and reads
 * until the other side has ended too.
 */
#include "driver.h"

int main(int argc, char **argv)
{
	char bytes[4096] = {};
	struct target to;
	long left;
	int fd;

	if (argc < 4)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	fd = connected(&to, SOCK_STREAM);
	for (left = atol(argv[3]); left > 0;) {
		ssize_t sent = write(fd, bytes, left < (long)sizeof(bytes) ? left : sizeof(bytes));

		check(sent > 0, "write");
		left -= sent;
	}
	check(!shutdown(fd, SHUT_WR), "shutdown");
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	return 0;
}
