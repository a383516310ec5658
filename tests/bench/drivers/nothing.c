/* SPDX-License-Identifier: Apache-2.0 */
/* nothing [ARGUMENT...]: ends at once. */

int main(void)
{
	return 0;
}
