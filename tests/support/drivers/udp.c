/* SPDX-License-Identifier: Apache-2.0 */
/* udp HOST PORT: connects a UDP socket and sends nothing. */
#include "driver.h"

int main(int argc, char **argv)
{
	struct target to;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	close(connected(&to, SOCK_DGRAM));
	return 0;
}
