// SPDX-License-Identifier: Apache-2.0
/* A target for libFuzzer: a DNS message, whole and cut. */
#include "invariants.h"

/* A part teaches nothing that the whole does not. */
static void hold_part(const __u8 *message, size_t bytes, const struct learned *whole)
{
	struct learned part = learned_from(message, bytes, 0xff);

	HOLDS(part.count <= whole->count);
	if (!part.count)
		return;
	HOLDS(part.labels == whole->labels);
	HOLDS(!memcmp(part.suffixes, whole->suffixes, sizeof(part.suffixes)));
	HOLDS(!memcmp(part.addresses, whole->addresses, part.count * sizeof(part.addresses[0])));
}

/* The name of the question, with dots; where a label has one, two names would look alike. */
static int spelled(__u8 *name, const __u8 *message, size_t *bytes)
{
	const __u8 *at = message + DNS_HEADER_BYTES;

	for (*bytes = 0; *at; at += 1 + *at) {
		if (memchr(at + 1, '.', *at))
			return 0;
		memcpy(name + *bytes, at + 1, *at);
		*bytes += *at;
		name[(*bytes)++] = '.';
	}
	return 1;
}

int LLVMFuzzerTestOneInput(const __u8 *message, size_t bytes)
{
	struct learned whole = learned_from(message, bytes, 0), again;
	__u8 name[HOST_BYTES + 64];
	size_t name_bytes;

	again = learned_from(message, bytes, 0xff);
	HOLDS(!memcmp(&whole, &again, sizeof(whole)));
	for (size_t cut = 1; cut < bytes; cut += 1 + cut / 16)
		hold_part(message, cut, &whole);
	for (__u64 i = 0; i < whole.count; i++) {
		__u64 size = whole.addresses[i].bytes;

		HOLDS(size == 4 || size == 16);
		HOLDS(whole.addresses[i].at + size <= bytes);
	}
	if (whole.count && spelled(name, message, &name_bytes))
		hold_name(name, name_bytes, whole.labels, whole.suffixes);
	return 0;
}
