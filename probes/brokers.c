// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that start others for whoever asks them (atd, a tmux server, a
 * service manager, a container's runtime). What a session has them start is
 * nobody's child that is followed, so the children of all of them are told,
 * while anybody is followed. Whose they are, user space finds out.
 */
#include "events.h"
#include "read.h"

/* By command name, which anybody can take on: user space looks at the file. */
BPF_TABLE("hash", struct comm, u32, brokers, 64);

/* EXEC_BROKERED, or 0. While nobody is followed it costs one read. */
static inline u32 brokered_flag(struct task_struct *task)
{
	struct task_struct *parent;
	struct comm name = {};

	if (!is_anybody_followed())
		return 0;
	parent = READ(task, real_parent);
	/* Kernels before 5.14 leave behind the NUL what was there. */
	bpf_probe_read_kernel_str(&name, sizeof(name), parent->comm);
	return brokers.lookup(&name) ? EXEC_BROKERED : 0;
}
