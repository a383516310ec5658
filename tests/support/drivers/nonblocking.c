/* SPDX-License-Identifier: Apache-2.0 */
/* nonblocking HOST PORT: connects without blocking and waits until it can write. */
#include "driver.h"
#include <poll.h>

int main(int argc, char **argv)
{
	struct pollfd writable = { .events = POLLOUT };
	struct target to;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	writable.fd = socket_for(&to, SOCK_STREAM | SOCK_NONBLOCK);
	check(!connect(writable.fd, (struct sockaddr *)&to.address, to.bytes) ||
	      errno == EINPROGRESS, "connect");
	check(poll(&writable, 1, 5000) == 1, "poll");
	return 0;
}
