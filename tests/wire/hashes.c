// SPDX-License-Identifier: Apache-2.0
// Prints the hashes of its arguments, each a kind and a text, as the probes compute them.
#include <stdio.h>
#include <string.h>
#include <ctype.h>
#include "marks.h"

static __u64 of(const char *text, size_t size)
{
	__u64 hash = HASH_SEED;

	for (size_t i = 0; i < size; i++)
		hash = hash_byte(hash, text[i]);
	return hash;
}

/* Of a path component, or of an argument: what of it counts, filled up with zeros. */
static __u64 by_eight(const char *text, size_t size)
{
	__u64 hash = HASH_SEED, eight;

	for (size_t i = 0; i < size; i += sizeof(eight)) {
		eight = 0;
		memcpy(&eight, text + i, size - i < sizeof(eight) ? size - i : sizeof(eight));
		hash = hash_eight(hash, eight);
	}
	return hash;
}

static __u64 suffix(char *name)
{
	__u64 hash = HASH_SEED;
	char *label;

	for (char *at = name; *at; at++)
		*at = tolower(*at);
	do {
		label = strrchr(name, '.');
		char *word = label ? label + 1 : name;
		hash = (hash ^ of(word, strlen(word))) * 0x9E3779B97F4A7C15ULL;
		hash ^= hash >> 29;
		if (label)
			*label = 0;
	} while (label);
	return hash;
}

static __u64 folder(char *path)
{
	__u64 hash = HASH_SEED;

	for (char *word = strtok(path, "/"); word; word = strtok(NULL, "/"))
		hash = hash_pair(hash, by_eight(word, strnlen(word, MARK_BYTES)));
	return hash;
}

static __u64 hash(const char *kind, char *text)
{
	return strcmp(kind, "suffix") ? folder(text) : suffix(text);
}

int main(int count, char **words)
{
	for (int i = 1; i + 1 < count; i += 2)
		printf("%016llx\n", (unsigned long long)hash(words[i], words[i + 1]));
	return 0;
}
