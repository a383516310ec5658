/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pour COUNT KIB MTU HELLO: in a network of its own, COUNT connections one after
 * the other say what is in the file HELLO and then so many KiB, which a child
 * reads. Says how long that took in ns.
 */
#include "loopback.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static char piece[1 << 17];

static void set_mtu(int mtu)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	check(fd >= 0 && !ioctl(fd, SIOCSIFMTU, &lo), "mtu");
	close(fd);
}

/* Says one byte when the other side has said all. */
static void drain(int listener, int count)
{
	for (; count > 0; count--) {
		int fd = accept(listener, NULL, NULL);

		check(fd >= 0, "accept");
		while (recv(fd, piece, sizeof(piece), 0) > 0)
			;
		check(send(fd, "x", 1, MSG_NOSIGNAL) == 1, "answer");
		close(fd);
	}
	exit(0);
}

static void say(const struct sockaddr_in *to, const char *hello, int bytes, long long rest)
{
	struct linger at_once = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(!connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	check(send(fd, hello, bytes, 0) == bytes, "hello");
	while (rest > 0) {
		int some = rest < (long long)sizeof(piece) ? rest : (long long)sizeof(piece);

		check(send(fd, piece, some, 0) == some, "send");
		rest -= some;
	}
	shutdown(fd, SHUT_WR);
	check(recv(fd, piece, 1, 0) == 1, "recv");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = loopback(0);
	socklen_t bytes = sizeof(to);
	static char hello[8192];
	struct timespec from, until;
	int listener, count, said, status;
	pid_t child;

	if (argc < 5)
		return EXIT_FAILURE;
	count = atoi(argv[1]);
	said = read(open(argv[4], O_RDONLY), hello, sizeof(hello));
	check(said > 0, argv[4]);
	enter_loopback();
	set_mtu(atoi(argv[3]));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	check(!bind(listener, (struct sockaddr *)&to, bytes) && !listen(listener, 16), "listen");
	check(!getsockname(listener, (struct sockaddr *)&to, &bytes), "getsockname");
	clock_gettime(CLOCK_MONOTONIC, &from);
	child = fork();
	if (!child)
		drain(listener, count);
	for (int turn = 0; turn < count; turn++)
		say(&to, hello, said, atoll(argv[2]) * 1024);
	check(waitpid(child, &status, 0) == child && !status, "child");
	clock_gettime(CLOCK_MONOTONIC, &until);
	printf("%lld\n", (until.tv_sec - from.tv_sec) * 1000000000LL + until.tv_nsec - from.tv_nsec);
	return 0;
}
