/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uring HOST PORT [async]: connects over TCP through io_uring, with no system
 * call that names the address. `async` hands it to a worker thread of the kernel.
 */
#include "driver.h"
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static void *ring_part(int ring, size_t bytes, off_t which)
{
	void *part = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
			  which);

	check(part != MAP_FAILED, "mmap");
	return part;
}

int main(int argc, char **argv)
{
	struct io_uring_params params = {};
	struct io_uring_sqe *entry;
	struct io_uring_cqe *done;
	struct target to;
	char *sq, *cq;
	int ring;

	if (argc < 3)
		return EXIT_FAILURE;
	to = target(argv[1], argv[2]);
	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0 && (errno == EPERM || errno == ENOSYS))
		return EXIT_SKIP;
	check(ring >= 0, "io_uring_setup");
	sq = ring_part(ring, params.sq_off.array + params.sq_entries * sizeof(__u32),
		       IORING_OFF_SQ_RING);
	cq = ring_part(ring, params.cq_off.cqes + params.cq_entries * sizeof(*done),
		       IORING_OFF_CQ_RING);
	entry = ring_part(ring, sizeof(*entry), IORING_OFF_SQES);

	entry->opcode = IORING_OP_CONNECT;
	entry->flags = argc > 3 ? IOSQE_ASYNC : 0;
	entry->fd = socket_for(&to, SOCK_STREAM);
	entry->addr = (unsigned long)&to.address;
	entry->off = to.bytes;
	((__u32 *)(sq + params.sq_off.array))[0] = 0;
	__atomic_store_n((__u32 *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	check(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1,
	      "io_uring_enter");

	done = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	errno = -done->res;
	check(!done->res, "IORING_OP_CONNECT");
	return 0;
}
