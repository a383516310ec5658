/* SPDX-License-Identifier: Apache-2.0 */
/* stay: runs until its standard input ends. */
#include "driver.h"

int main(void)
{
	wait_for_end_of_input();
	return 0;
}
