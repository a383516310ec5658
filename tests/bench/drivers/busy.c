/* SPDX-License-Identifier: Apache-2.0 */
/*
 * busy COUNT PROGRAM: what an agent does, COUNT times, in a network of its own:
 * starts a program and waits for it, looks up a name, connects, reads an answer.
 */
#include "loopback.h"
#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

#define PORT_DNS 53

/* RFC 1035: one question and one answer, 192.0.2.1. */
static const char answer[] = "\0\0\x81\x80\0\1\0\1\0\0\0\0"
			     "\3api\11anthropic\3com\0\0\1\0\1"
			     "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";

struct server {
	int fd;
	struct sockaddr_in at;
};

static struct server serving(int type, unsigned short port)
{
	struct server server = { socket(AF_INET, type, 0), loopback(port) };
	socklen_t bytes = sizeof(server.at);

	check(!bind(server.fd, (struct sockaddr *)&server.at, bytes), "bind");
	check(!getsockname(server.fd, (struct sockaddr *)&server.at, &bytes), "getsockname");
	if (type == SOCK_STREAM)
		check(!listen(server.fd, 16), "listen");
	return server;
}

static void start(char *program)
{
	char *argv[] = { program, "-c", "git diff --stat HEAD~3 -- src include", "x", NULL };
	int status;
	pid_t child;

	errno = posix_spawn(&child, program, NULL, NULL, argv, environ);
	check(!errno && waitpid(child, &status, 0) == child && !status, program);
}

static int dialled(const struct server *server, int type)
{
	int fd = socket(AF_INET, type, 0);

	check(!connect(fd, (const struct sockaddr *)&server->at, sizeof(server->at)), "connect");
	return fd;
}

static void look_up(const struct server *server)
{
	char text[512];
	struct sockaddr_in from;
	socklen_t bytes = sizeof(from);
	int fd = dialled(server, SOCK_DGRAM);

	check(write(fd, answer, sizeof(answer) - 1) > 0, "ask");
	recvfrom(server->fd, text, sizeof(text), 0, (struct sockaddr *)&from, &bytes);
	sendto(server->fd, answer, sizeof(answer) - 1, 0, (struct sockaddr *)&from, bytes);
	check(read(fd, text, sizeof(text)) > 0, "answer");
	close(fd);
}

static void talk(const struct server *server)
{
	char text[16];
	int ours = dialled(server, SOCK_STREAM), theirs = accept(server->fd, NULL, NULL);

	check(theirs >= 0 && write(theirs, "hello", 5) == 5, "accept");
	check(read(ours, text, sizeof(text)) == 5, "read");
	close(ours);
	close(theirs);
}

int main(int argc, char **argv)
{
	struct server names, tcp;

	if (argc < 3)
		return EXIT_FAILURE;
	enter_loopback();
	names = serving(SOCK_DGRAM, PORT_DNS);
	tcp = serving(SOCK_STREAM, 0);
	for (int count = atoi(argv[1]); count > 0; count--) {
		start(argv[2]);
		look_up(&names);
		talk(&tcp);
	}
	return 0;
}
