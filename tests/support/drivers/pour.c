/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pour HOST PORT: sends datagrams over a connected UDP socket until standard
 * input ends (0), or until a send fails (1): then it tries on by the same
 * socket, connects it anew, and says what each came to, as errno.
 *
 * What leaves before the failure is "a", what leaves after it "b".
 */
#include "driver.h"
#include <poll.h>

static int said(long result)
{
	return result < 0 ? errno : 0;
}

int main(int argc, char **argv)
{
	struct pollfd input = {.fd = STDIN_FILENO};
	struct target to;
	int fd, failed, again, anew;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	fd = connected(&to, SOCK_DGRAM);
	check(send(fd, "a", 1, 0) == 1, "send");
	check(write(STDOUT_FILENO, "\n", 1) == 1, "write");
	do {
		if (poll(&input, 1, 5) > 0)
			return 0;
		failed = said(send(fd, "a", 1, 0));
	} while (!failed);
	again = said(send(fd, "b", 1, 0));
	anew = said(connect(fd, (const struct sockaddr *)&to.address, to.bytes));
	send(fd, "b", 1, 0);
	printf("%d %d %d\n", failed, again, anew);
	return EXIT_FAILURE;
}
