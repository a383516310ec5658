// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where the record of an execution is put together, string by string.
 */
#include "events.h"
#include "path.h"

/* The five strings behind an exec record, and room for the longest single copy. */
#define TAIL_BYTES (16 * 1024)

struct exec_buffer {
	u64 busy;
	u64 used; /* bytes of tail */
	struct exec_record record;
	u8 tail[TAIL_BYTES + ARGV_BYTES]; /* directly behind the record */
};

BPF_PERCPU_ARRAY(exec_buffers, struct exec_buffer, BUFFERS);

static inline struct exec_buffer *claim_exec_buffer(void)
{
#pragma unroll
	for (int i = 0; i < BUFFERS; i++) {
		u64 slot = i;
		struct exec_buffer *out = exec_buffers.lookup((u32 *)&slot);

		if (!out)
			return 0;
		lock_xadd(&out->busy, 1);
		if (*(volatile u64 *)&out->busy == 1)
			return out;
		lock_xadd(&out->busy, -1);
	}
	return 0;
}

/*
 * Where the next string goes. `used` is read back from the map, so that the
 * verifier merges the states of a loop; the mask is for it alone.
 */
static inline u8 *tail(struct exec_buffer *out)
{
	return &out->tail[*(volatile u64 *)&out->used & (TAIL_BYTES - 1)];
}

/* Appends the components of a place, leaf first. Returns 1 where it had to cut. */
static inline int put_path(struct exec_buffer *out, struct place place, u64 room)
{
	u64 start = out->used;

	if (is_alone(&place)) {
		int n = bpf_probe_read_kernel_str(tail(out), NAME_BYTES,
						  READ(place.dentry, d_name_name));

		if (n > 0)
			out->used += n;
		return n <= 0;
	}
	for (int level = 0; level < PATH_LEVELS; level++) {
		int n;

		if (!settle(&place))
			return 0;
		if (out->used - start > room - NAME_BYTES)
			return 1;
		n = bpf_probe_read_kernel_str(tail(out), NAME_BYTES,
					      READ(place.dentry, d_name_name));
		if (n <= 0)
			return 1;
		out->used += n;
		place.dentry = READ(place.dentry, d_parent);
	}
	return settle(&place);
}

static inline void put_places(struct exec_buffer *out, struct task_struct *task, struct file *file)
{
	struct exec_record *record = &out->record;
	struct fs_struct *fs = READ(task, fs);
	struct place exe = place_of(READ(file, f_mnt), READ(file, f_dentry));
	struct place cwd = place_of(READ(fs, pwd_mnt), READ(fs, pwd_dentry));
	u64 start = out->used;

	if (put_path(out, exe, EXE_BYTES))
		record->flags |= EXEC_EXE_CUT;
	record->exe_bytes = out->used - start;
	start = out->used;
	if (put_path(out, cwd, CWD_BYTES))
		record->flags |= EXEC_CWD_CUT;
	record->cwd_bytes = out->used - start;
}
