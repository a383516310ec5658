/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial_name RESOLVER NAME PORT [TIMES [udp]]: looks a name up (A, over UDP) and connects to the
 * first address at once; a % in the name is the number of the turn. Says how
 * many of the connects were refused with EPERM, and how many went through.
 */
#include "driver.h"
#include <sys/time.h>

static unsigned char message[512];

/* The question of RFC 1035, 4.1; returns its bytes. */
static int question(const char *name)
{
	static const unsigned char header[12] = {0x12, 0x34, 1, 0, 0, 1};
	unsigned char *at = message + sizeof(header);

	memcpy(message, header, sizeof(header));
	while (*name) {
		int bytes = strcspn(name, ".");

		*at++ = bytes;
		memcpy(at, name, bytes);
		at += bytes;
		name += bytes + (name[bytes] == '.');
	}
	memcpy(at, "\0\0\1\0\1", 5);
	return at + 5 - message;
}

static struct in_addr looked_up(const char *resolver, const char *name)
{
	struct target to = target(resolver, "53");
	int fd = connected(&to, SOCK_DGRAM), bytes = question(name);
	struct timeval patience = {.tv_sec = 10};
	struct in_addr address;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	check(send(fd, message, bytes, 0) == bytes, "send");
	bytes = recv(fd, message, sizeof(message), 0);
	check(bytes > 16, "recv");
	close(fd);
	memcpy(&address, message + bytes - 4, sizeof(address));
	return address;
}

int main(int argc, char **argv)
{
	int times = argc > 4 ? atoi(argv[4]) : 1, refused = 0, through = 0;
	int type = argc > 5 ? SOCK_DGRAM : SOCK_STREAM;

	if (argc < 4)
		return EXIT_FAILURE;
	for (int turn = 0; turn < times; turn++) {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
		char name[256], number[16], *place;
		int fd = socket(AF_INET, type, 0);

		snprintf(name, sizeof(name), "%s", argv[2]);
		place = strchr(name, '%');
		if (place) {
			snprintf(number, sizeof(number), "%d", turn);
			snprintf(name, sizeof(name), "%.*s%s%s", (int)(place - name), argv[2],
				 number, strchr(argv[2], '%') + 1);
		}
		to.sin_addr = looked_up(argv[1], name);
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			through++;
		else if (errno == EPERM)
			refused++;
		else
			check(0, "connect");
		close(fd);
	}
	printf("%d refused, %d through\n", refused, through);
	return 0;
}
