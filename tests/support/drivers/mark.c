/* SPDX-License-Identifier: Apache-2.0 */
/* mark: makes the file that MARK in the environment names, which tells that it has run. */
#include "driver.h"
#include <fcntl.h>

int main(void)
{
	const char *path = getenv("MARK");

	return !path || open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) < 0;
}
