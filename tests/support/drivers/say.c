/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say HOST PORT [BYTES...]: connects, sends what comes from standard input, in
 * pieces of so many bytes and the rest, and waits for an answer. Says
 * "answered", "ended", or the name of what went wrong.
 */
#include "driver.h"
#include <sys/time.h>
#include <time.h>

/* Pieces that are sent at once may leave in one segment. */
static const struct timespec between = {.tv_nsec = 30 * 1000 * 1000};

static int failed(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
	return 0;
}

int main(int argc, char **argv)
{
	static char text[65536];
	struct timeval patience = {.tv_sec = 20};
	int fd, bytes, sent = 0;
	struct target to;

	if (argc < 3)
		return EXIT_FAILURE;
	bytes = fread(text, 1, sizeof(text), stdin);
	to = target(argv[1], argv[2]);
	fd = socket_for(&to, SOCK_STREAM);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&to.address, to.bytes))
		return failed("connect");
	for (int i = 3; i <= argc; i++) {
		int piece = i < argc ? atoi(argv[i]) : bytes - sent;

		if (send(fd, text + sent, piece, MSG_NOSIGNAL) != piece)
			return failed("send");
		sent += piece;
		if (i < argc)
			nanosleep(&between, 0);
	}
	bytes = recv(fd, text, sizeof(text), 0);
	if (bytes < 0)
		return failed("recv");
	puts(bytes ? "answered" : "ended");
	return 0;
}
