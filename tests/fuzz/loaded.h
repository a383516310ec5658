/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message in the buffer that the readers read from. `stale` is what was in
 * there before; nothing that is found may depend on it.
 */
#ifndef FUZZ_LOADED_H
#define FUZZ_LOADED_H

#include <stdlib.h>
#include <string.h>

#include "reading.h"

/* A buffer of its own size, so that a read behind it is caught. */
static inline struct reading *loaded(const __u8 *message, size_t bytes, int stale)
{
	struct reading *reading = malloc(sizeof(*reading));

	if (!reading)
		abort();
	memset(reading, stale, sizeof(*reading));
	reading->host.seed = 0; /* set for each message, like what is read from it */
	reading->bytes = bytes < TEXT_BYTES ? bytes : TEXT_BYTES;
	memcpy(reading->text, message, reading->bytes);
	return reading;
}

static inline void copy_name(__u64 *labels, __u64 *suffixes, const struct reading *reading)
{
	*labels = reading->host.count;
	memcpy(suffixes, reading->host.suffixes, sizeof(reading->host.suffixes));
}

#endif
