/* SPDX-License-Identifier: Apache-2.0 */
/* sendto HOST PORT: sends one datagram from a socket that is not connected. */
#include "driver.h"

int main(int argc, char **argv)
{
	struct target to;
	int fd;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	fd = socket_for(&to, SOCK_DGRAM);
	check(sendto(fd, "x", 1, 0, (struct sockaddr *)&to.address, to.bytes) == 1, "sendto");
	return 0;
}
