/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers share. Each driver does one thing once and says so by its exit status. */
#ifndef DRIVER_H
#define DRIVER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As automake has it: the kernel does not offer what this driver needs. */
#define EXIT_SKIP 77

struct target {
	struct sockaddr_storage address;
	socklen_t bytes;
};

static inline void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

/* No getaddrinfo: it asks name servers and cannot be linked statically. */
static inline struct target target(const char *host, const char *port)
{
	struct target to = {};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to.address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to.address;

	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(atoi(port));
		to.bytes = sizeof(*v6);
	} else {
		errno = EINVAL;
		check(inet_pton(AF_INET, host, &v4->sin_addr) == 1, host);
		v4->sin_family = AF_INET;
		v4->sin_port = htons(atoi(port));
		to.bytes = sizeof(*v4);
	}
	return to;
}

static inline int socket_for(const struct target *to, int type)
{
	int fd = socket(to->address.ss_family, type, 0);

	check(fd >= 0, "socket");
	return fd;
}

static inline int connected(const struct target *to, int type)
{
	int fd = socket_for(to, type);

	check(!connect(fd, (const struct sockaddr *)&to->address, to->bytes), "connect");
	return fd;
}

/* Returns when the other end of standard input is gone. */
static inline void wait_for_end_of_input(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) == 1)
		;
}

#endif
