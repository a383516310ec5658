/* SPDX-License-Identifier: Apache-2.0 */
/* sendmsg HOST PORT: sends one datagram from a socket that is not connected. */
#include "driver.h"

int main(int argc, char **argv)
{
	struct iovec part = { "x", 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct target to;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	message.msg_name = &to.address;
	message.msg_namelen = to.bytes;
	check(sendmsg(socket_for(&to, SOCK_DGRAM), &message, 0) == 1, "sendmsg");
	return 0;
}
