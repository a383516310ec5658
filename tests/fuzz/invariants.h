/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of whatever the readers are given; a target ends the process where it does not. */
#ifndef FUZZ_INVARIANTS_H
#define FUZZ_INVARIANTS_H

#include <ctype.h>
#include <stdio.h>

#include "readers.h"

#define HOLDS(claim)                                                                               \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Written in another way than probes/suffix.h: from the text of a name, label by label. */
static inline __u64 naive_suffix(const __u8 *name, size_t bytes, __u64 labels)
{
	__u64 hash = HASH_SEED;
	size_t end = bytes;

	for (; labels; labels--) {
		size_t start = end;
		__u64 label = HASH_SEED;

		while (start && name[start - 1] != '.')
			start--;
		for (size_t i = start; i < end; i++)
			label = (label ^ (isupper(name[i]) ? name[i] + 32 : name[i])) * HASH_PRIME;
		hash = (hash ^ label) * LABEL_FACTOR;
		hash ^= hash >> 29;
		end = start ? start - 1 : 0;
	}
	return hash;
}

static inline size_t labels_of(const __u8 *name, size_t bytes)
{
	size_t dots = 0;

	for (size_t i = 0; i < bytes; i++)
		dots += name[i] == '.';
	return bytes ? dots + 1 : 0;
}

/* `labels` and `suffixes` are those of the name, of which a dot at the end is no part. */
static inline void hold_name(const __u8 *name, size_t bytes, __u64 labels, const __u64 *suffixes)
{
	if (bytes && name[bytes - 1] == '.')
		bytes--;
	/* Of an empty label in front, as of ".", a dot is what there is. */
	HOLDS(labels == labels_of(name, bytes) || (!bytes && labels == 1));
	for (__u64 i = 0; i < SUFFIXES; i++)
		HOLDS(suffixes[i] == (i < labels ? naive_suffix(name, bytes, i + 1) : 0));
}

#endif
