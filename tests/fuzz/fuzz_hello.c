// SPDX-License-Identifier: Apache-2.0
/* A target for libFuzzer: the first words of a connection, whole and cut. */
#include "invariants.h"

static int are_same(const struct heard *a, const struct heard *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* What a part decides, the whole does not change. */
static void hold_part(const __u8 *message, size_t bytes, const struct heard *whole)
{
	struct heard part = heard_from(message, bytes, 0);

	HOLDS(part.found == FOUND_PART || are_same(&part, whole));
}

size_t LLVMFuzzerMutate(__u8 *message, size_t bytes, size_t most);

/* Half of the hellos get lengths that are right again, so that what lies deeper is reached. */
size_t LLVMFuzzerCustomMutator(__u8 *message, size_t bytes, size_t most, unsigned int seed)
{
	bytes = LLVMFuzzerMutate(message, bytes, most);
	if (seed % 2 || bytes < 9 || message[0] != 0x16)
		return bytes;
	message[3] = (bytes - 5) >> 8;
	message[4] = (bytes - 5) & 0xff;
	message[6] = 0;
	message[7] = (bytes - 9) >> 8;
	message[8] = (bytes - 9) & 0xff;
	return bytes;
}

int LLVMFuzzerTestOneInput(const __u8 *message, size_t bytes)
{
	struct heard whole = heard_from(message, bytes, 0);
	static const int before[] = {1, '0', ':', 0xff};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct heard again = heard_from(message, bytes, before[i]);

		HOLDS(are_same(&whole, &again));
	}
	for (size_t cut = 1; cut < bytes; cut += 1 + cut / 16)
		hold_part(message, cut, &whole);
	if (!is_name(whole.found))
		return 0;
	if (whole.name_bytes >= HOST_BYTES) {
		HOLDS(whole.found == FOUND_PROXY && !whole.labels && !whole.suffixes[0]);
		return 0;
	}
	HOLDS(whole.name_at + whole.name_bytes <= bytes);
	/* A name with a port that is none is nobody's. */
	if (whole.found == FOUND_PROXY && !whole.labels)
		return 0;
	hold_name(message + whole.name_at, whole.name_bytes, whole.labels, whole.suffixes);
	return 0;
}
