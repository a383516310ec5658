// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an interpreter, or the dynamic loader, was told to run. Looked at only
 * where nothing else named a tool. Takes a wrong word for a script now and
 * then (`node -r x y`): sensor/core/invocation.py knows the real grammars and
 * releases what was none.
 */
#include "component.h"
#include "marks.h"
#include "path.h"
#include "tables.h"

struct arguments {
	struct scan scan;
	struct mark found;
};

BPF_PERCPU_ARRAY(scans, struct arguments, 1);

static inline struct mark judge_parts(struct arguments *arguments)
{
	volatile struct mark *found = &arguments->found;
	struct scan *scan = &arguments->scan;
	struct mark result;

	found->tool = found->flags = 0;
	for (u32 i = 0; i < SCAN_PARTS; i++) {
		struct part *part = &scan->parts[i];
		u32 before = found->flags & MARK_STRONG;

		if (i >= *(volatile u64 *)&scan->reader.count)
			break;
		if (part->parent)
			add_mark(found, hash_pair(part->parent, part->hash), MARK_PAIR);
		if (part->whole)
			add_mark(found, part->hash, MARK_NAME | MARK_MODULE);
		/* Another word may be the script's own, or a flag's value: user space knows. */
		found->flags &= ~MARK_STRONG | before | part->sure << MARK_STRONG_BIT;
	}
	result.tool = found->tool;
	result.flags = found->flags;
	return result;
}

/* The mark of what the arguments of the new image name, if any. */
static inline struct mark judge_arguments(struct mm_struct *mm, u32 flags)
{
	u64 start = READ(mm, arg_start), end = READ(mm, arg_end), bytes;
	struct mark none = {};
	u32 zero = 0;
	struct arguments *arguments = scans.lookup(&zero);

	if (!arguments)
		return none;
	bytes = at_most(end - start, SCAN_BYTES);
	if (bpf_probe_read_user(arguments->scan.text, bytes, (void *)start))
		return none;
	scan_text(&arguments->scan, bytes, flags, seed_of_hashes());
	return judge_parts(arguments);
}
