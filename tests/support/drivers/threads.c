/* SPDX-License-Identifier: Apache-2.0 */
/* threads COUNT HOST PORT: COUNT threads connect over TCP, one after another. */
#include "driver.h"
#include <pthread.h>

static void *one(void *to)
{
	close(connected(to, SOCK_STREAM));
	return NULL;
}

int main(int argc, char **argv)
{
	struct target to;
	pthread_t thread;
	int count;

	if (argc < 4)
		return EXIT_FAILURE;
	to = target(argv[2], argv[3]);
	for (count = atoi(argv[1]); count > 0; count--) {
		check(!pthread_create(&thread, NULL, one, &to), "pthread_create");
		pthread_join(thread, NULL);
	}
	return 0;
}
