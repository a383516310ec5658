/* SPDX-License-Identifier: Apache-2.0 */
/* ask RESOLVER NAME PORT: looks up the IPv4 address of NAME (RFC 1035, 4.1), and connects to it. */
#include "driver.h"

#define HEADER_BYTES	12
/* QTYPE and QCLASS: A, IN. */
static const char question_end[] = { 0, 1, 0, 1 };

/* Writes NAME as labels; returns their end. */
static char *put_name(char *at, const char *name)
{
	while (*name) {
		size_t bytes = strcspn(name, ".");

		*at++ = bytes;
		at = (char *)memcpy(at, name, bytes) + bytes;
		name += bytes + (name[bytes] == '.');
	}
	*at++ = 0;
	return at;
}

int main(int argc, char **argv)
{
	char query[512] = { 0, 1, 1 /* RD */, 0, 0, 1 }, answer[512], shown[INET_ADDRSTRLEN];
	struct target resolver, found;
	char *end;
	ssize_t got;
	int fd;

	if (argc < 4 || strlen(argv[2]) > 255)
		return EXIT_FAILURE;
	end = put_name(query + HEADER_BYTES, argv[2]);
	end = (char *)memcpy(end, question_end, sizeof(question_end)) + sizeof(question_end);
	resolver = target(argv[1], "53");
	fd = connected(&resolver, SOCK_DGRAM);
	check(send(fd, query, end - query, 0) == end - query, "send");
	got = recv(fd, answer, sizeof(answer), 0);
	check(got > end - query, "recv");
	close(fd);
	/* The test's server ends its answer with the address. */
	check(!!inet_ntop(AF_INET, answer + got - sizeof(struct in_addr), shown, sizeof(shown)), "A");
	found = target(shown, argv[3]);
	close(connected(&found, SOCK_STREAM));
	return 0;
}
