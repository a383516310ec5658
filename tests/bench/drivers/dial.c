/* SPDX-License-Identifier: Apache-2.0 */
/* dial COUNT: connects COUNT times over TCP to a listener of its own, in a network of its own. */
#include "loopback.h"

static int listening(struct sockaddr_in *at)
{
	socklen_t bytes = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(fd >= 0 && !bind(fd, (struct sockaddr *)at, bytes), "bind");
	check(!listen(fd, 16) && !getsockname(fd, (struct sockaddr *)at, &bytes), "listen");
	return fd;
}

int main(int argc, char **argv)
{
	/* Closed by a reset: ports do not stay behind in TIME_WAIT. */
	struct linger at_once = { .l_onoff = 1 };
	struct sockaddr_in to = loopback(0);
	int listener, ours, theirs;

	if (argc < 2)
		return EXIT_FAILURE;
	enter_loopback();
	listener = listening(&to);
	for (int count = atoi(argv[1]); count > 0; count--) {
		ours = socket(AF_INET, SOCK_STREAM, 0);
		check(!connect(ours, (struct sockaddr *)&to, sizeof(to)), "connect");
		theirs = accept(listener, NULL, NULL);
		check(theirs >= 0, "accept");
		setsockopt(ours, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(ours);
		close(theirs);
	}
	return 0;
}
