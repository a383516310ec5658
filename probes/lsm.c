// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An execution before it commits, where the kernel asks BPF as a security
 * module: the one place to refuse with EPERM. It is asked once a hop, for a
 * script before its interpreter. What only the arguments give away (`node
 * x/cli.js`) cannot be read here from a copy of the kernel's: exec.c sees it.
 * Attached while policy refuses executions.
 */
#include "events.h"
#include "marks.h"
#include "read.h"
#include "tables.h"

/* include/uapi/asm-generic/errno-base.h */
#define EPERM 1

/* From the end of a name so far back a slash is looked for; comm has 16 bytes. */
#define BASENAME_BYTES 64

/*
 * comm as begin_new_exec() (fs/exec.c) is going to set it: the basename, cut.
 * A name too long for the buffer leaves it empty: exec.c has the kernel's own.
 */
static inline void read_comm(struct comm *comm, const char *filename)
{
	char name[NAME_BYTES] = {};
	long bytes = bpf_probe_read_kernel_str(name, sizeof(name), filename);
	u64 end, back;

	if (bytes < 2 || bytes == NAME_BYTES)
		return;
	end = bytes - 2;
	for (back = 0; back < BASENAME_BYTES; back++) {
		FORGET(end); /* clang would make one test of two, which bounds nothing */
		if (back > end)
			break;
		if (name[(end - back) & (NAME_BYTES - 1)] == '/')
			break;
	}
	bpf_probe_read_kernel_str(comm, sizeof(*comm), filename + end - back + 1);
}

/*
 * lsm/bprm_check_security: (struct linux_binprm *bprm, int before). Not by BCC's
 * LSM_PROBE, which would attach it as soon as it is compiled.
 */
int judge_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct linux_binprm *bprm = (void *)ctx->args[0];
	struct task_struct *task = (void *)bpf_get_current_task();
	int before = ctx->args[1];
	struct answer_of_file image = {};
	struct telling what = {};
	struct member stranger = {}, *member;

	if (before)
		return before;
	read_comm(&image.typed, READ(bprm, filename));
	judge(&image, READ(bprm, file));
	if (likely(!image.mark.tool))
		return 0;
	rule_exec(&what.ruling, task, image.mark, image.paths);
	if (what.ruling.verdict != VERDICT_BLOCK)
		return 0;
	what.ruling.enforcement = ENFORCED_LSM;
	what.mark = image.mark;
	what.signals = image.signals;
	what.flags = EXEC_REFUSED;
	member = member_of(current_pid());
	if (!member) {
		fill_stranger(&stranger, task);
		member = &stranger;
	} else {
		what.signals |= SIGNAL_SESSION;
	}
	emit_exec(task, bprm, member, &what);
	return -EPERM;
}
