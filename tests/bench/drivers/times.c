/* SPDX-License-Identifier: Apache-2.0 */
/*
 * times COUNT connect ADDRESS [ANSWER]: connects over TCP to a listener of its
 * own, in a network of its own; before that a resolver there gives the answer in
 * the file ANSWER.  times COUNT spawn PROGRAM: starts it and waits for its end.
 * Says how many of them were refused, and then how long each took in ns.
 */
#include "loopback.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#define PORT 8443

static char **words;

static long long now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static int bound(int type, struct sockaddr_in at)
{
	int fd = socket(AF_INET, type, 0);

	check(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)), "bind");
	return fd;
}

/* Makes the question of an answer (RFC 1035, 4.1); returns how long it is. */
static int question(char *query, const char *answer, int bytes)
{
	int end = 12;

	memcpy(query, answer, bytes);
	memcpy(query + 2, (char[10]) { 1 /* RD */, 0, 0, 1 }, 10);
	while (end < bytes && query[end])
		end += query[end] + 1;
	return end + 5; /* the root, QTYPE and QCLASS */
}

static void look_up(const char *path)
{
	struct sockaddr_in asker = loopback(5353), resolver = loopback(53);
	int from = bound(SOCK_DGRAM, resolver), to = bound(SOCK_DGRAM, asker);
	int file = open(path, O_RDONLY);
	char answer[4096], query[4096];
	int bytes = read(file, answer, sizeof(answer)), asked;

	check(bytes > 12, path);
	/* What nobody has asked for counts for nobody. */
	asked = question(query, answer, bytes);
	check(sendto(to, query, asked, 0, (struct sockaddr *)&resolver, sizeof(resolver)) == asked,
	      "sendto");
	check(recv(from, query, sizeof(query), 0) == asked, "recv");
	check(sendto(from, answer, bytes, 0, (struct sockaddr *)&asker, sizeof(asker)) == bytes,
	      "sendto");
	check(recv(to, answer, sizeof(answer), 0) == bytes, "recv");
	close(from);
	close(to);
	close(file);
}

static int connects(long long *took, int listener)
{
	struct linger at_once = { .l_onoff = 1 };
	struct sockaddr_in to = loopback(PORT);
	int fd = socket(AF_INET, SOCK_STREAM, 0), refused, theirs;

	inet_pton(AF_INET, words[3], &to.sin_addr);
	*took = now_ns();
	refused = connect(fd, (struct sockaddr *)&to, sizeof(to));
	*took = now_ns() - *took;
	check(!refused || errno == EPERM, "connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	if (!refused) {
		theirs = accept(listener, NULL, NULL);
		check(theirs >= 0, "accept");
		close(theirs);
	}
	return refused != 0;
}

static int spawns(long long *took)
{
	char *argv[] = { words[3], NULL };
	int status = 0;
	pid_t child;

	*took = now_ns();
	errno = posix_spawn(&child, words[3], NULL, NULL, argv, environ);
	if (!errno)
		check(waitpid(child, &status, 0) == child, "waitpid");
	*took = now_ns() - *took;
	check(!errno || errno == EPERM, words[3]);
	return errno || status;
}

int main(int argc, char **argv)
{
	int count, refused = 0, listener = -1;
	long long *took;

	if (argc < 4)
		return EXIT_FAILURE;
	words = argv;
	count = atoi(argv[1]);
	took = calloc(count, sizeof(*took));
	if (!strcmp(argv[2], "connect")) {
		struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };

		enter_loopback();
		listener = bound(SOCK_STREAM, any);
		check(!listen(listener, 16), "listen");
		if (argc > 4)
			look_up(argv[4]);
	}
	for (int turn = 0; turn < count; turn++)
		refused += listener < 0 ? spawns(took + turn) : connects(took + turn, listener);
	printf("%d\n", refused);
	for (int turn = 0; turn < count; turn++)
		printf("%lld\n", took[turn]);
	return 0;
}
