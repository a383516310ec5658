/* SPDX-License-Identifier: Apache-2.0 */
/* fastopen HOST PORT: opens a TCP connection by sendto with MSG_FASTOPEN, without connect. */
#include "driver.h"

int main(int argc, char **argv)
{
	struct target to;
	int fd;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	fd = socket_for(&to, SOCK_STREAM);
	check(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to.address, to.bytes) == 1,
	      "sendto");
	return 0;
}
