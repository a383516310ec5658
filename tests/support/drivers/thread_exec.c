/* SPDX-License-Identifier: Apache-2.0 */
/* thread_exec PROGRAM [ARGUMENT...]: a thread that is not the first executes PROGRAM. */
#include "driver.h"
#include <pthread.h>

static void *become(void *argv)
{
	char **args = argv;

	execv(args[0], args);
	check(0, args[0]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return EXIT_FAILURE;
	check(!pthread_create(&thread, NULL, become, argv + 1), "pthread_create");
	pthread_join(thread, NULL);
	return EXIT_FAILURE;
}
