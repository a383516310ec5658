/* SPDX-License-Identifier: Apache-2.0 */
/* sendmmsg HOST PORT: sends a batch of one datagram from a socket that is not connected. */
#include "driver.h"

int main(int argc, char **argv)
{
	struct iovec part = { "x", 1 };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &part, .msg_iovlen = 1 } };
	struct target to;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	message.msg_hdr.msg_name = &to.address;
	message.msg_hdr.msg_namelen = to.bytes;
	check(sendmmsg(socket_for(&to, SOCK_DGRAM), &message, 1, 0) == 1, "sendmmsg");
	return 0;
}
