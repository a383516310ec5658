/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A host name as the hashes of its suffixes, the shortest first: "com",
 * "example.com", ... sensor/wire/rulings.py computes the same; a test holds
 * both to the same vectors. Letters count as lower case (RFC 4343).
 *
 * What the parsers find is kept in maps and read back as volatile: so the
 * verifier forgets it, and the states of the loops merge.
 */
#ifndef PROBES_SUFFIX_H
#define PROBES_SUFFIX_H

#include "bits.h"
#include "marks.h"
#include "policy.h"

/* Labels kept, the last ones: a power of two, for the mask, and at least SUFFIXES. */
#define LABELS_KEPT 8
/* RFC 1035, 2.3.4: a name has at most 255 bytes on the wire. */
#define HOST_BYTES 255
/* 2^64 / golden ratio: keeps a.b and b.a apart. */
#define LABEL_FACTOR 0x9e3779b97f4a7c15ULL

struct host {
	__u64 seed;  /* a secret of this load: what hashes to what cannot be computed outside */
	__u64 label; /* hash of the one that is being read */
	__u64 count; /* labels so far */
	__u64 labels[LABELS_KEPT];
	__u64 suffixes[SUFFIXES];
};

static inline void begin_host(struct host *host)
{
	host->label = HASH_SEED ^ host->seed;
	host->count = 0;
}

/*
 * Takes a byte of a name: of a label, or what ends one. Without a branch: this is verified for
 * each byte. What is left of a label that has not ended is overwritten.
 */
static inline void add_byte(struct host *host, __u64 byte, __u64 is_end)
{
	__u64 is_capital = ~((byte - 'A') | ('Z' - byte)) >> 63;
	__u64 count = *(volatile __u64 *)&host->count;

	host->labels[count & (LABELS_KEPT - 1)] = host->label;
	host->label = either(is_end, HASH_SEED ^ host->seed,
			     hash_byte(host->label, byte | is_capital << 5));
	*(volatile __u64 *)&host->count = count + is_end;
}

static inline void end_label(struct host *host)
{
	__u64 count = *(volatile __u64 *)&host->count;

	host->labels[count & (LABELS_KEPT - 1)] = host->label;
	host->label = HASH_SEED ^ host->seed;
	*(volatile __u64 *)&host->count = count + 1;
}

/* The suffixes of a name that has been read to its end; what there is none of is 0. */
static inline void end_host(struct host *host)
{
	__u64 hash = HASH_SEED ^ host->seed;

	for (__u64 i = 0; i < SUFFIXES; i++) {
		__u64 count = *(volatile __u64 *)&host->count;

		hash = (hash ^ host->labels[(count - 1 - i) & (LABELS_KEPT - 1)]) * LABEL_FACTOR;
		hash ^= hash >> 29;
		host->suffixes[i] = count > i ? hash : 0;
	}
}

#endif
