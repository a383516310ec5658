// SPDX-License-Identifier: Apache-2.0
/*
 * read: what the readers find, a line for each line of standard input. In comes
 * "dns" or "hello" and a message in hex; out go the labels of the name, its
 * suffixes, and where what was found lies, or one word.
 */
#include <stdio.h>

#include "component.h"
#include "readers.h"

static __u8 message[65536];

static size_t unhexed(const char *text)
{
	size_t bytes = 0;
	unsigned int byte;

	while (bytes < sizeof(message) && sscanf(text + 2 * bytes, "%2x", &byte) == 1)
		message[bytes++] = byte;
	return bytes;
}

static void print_name(__u64 labels, const __u64 *suffixes)
{
	printf("%llu", labels);
	for (int i = 0; i < SUFFIXES; i++)
		printf(" %016llx", suffixes[i]);
}

static void print_learned(const struct learned *learned)
{
	print_name(learned->labels, learned->suffixes);
	for (__u64 i = 0; i < learned->count; i++)
		printf(" %llu+%llu", learned->addresses[i].at, learned->addresses[i].bytes);
}

static void print_heard(const struct heard *heard)
{
	static const char *const words[] = {
	    [FOUND_NOTHING] = "nothing", [FOUND_PART] = "part", [FOUND_SNI] = "sni",
	    [FOUND_PROXY] = "proxy",	 [FOUND_UNREADABLE] = "unreadable",
	};

	printf("%s", words[heard->found]);
	if (!is_name(heard->found))
		return;
	printf(" %llu+%llu %llu %llx ", heard->name_at, heard->name_bytes, heard->port,
	       heard->ip4);
	print_name(heard->labels, heard->suffixes);
}

/* A command line of an interpreter with the MARK_* of the first two digits. */
static void print_scan(size_t bytes, __u32 flags, int stale)
{
	struct scan *scan = malloc(sizeof(*scan));

	if (!scan)
		abort();
	memset(scan, stale, sizeof(*scan));
	bytes = bytes < SCAN_BYTES ? bytes : SCAN_BYTES;
	memcpy(scan->text, message, bytes);
	scan_text(scan, bytes, flags, HASH_SEED);
	for (__u64 i = 0; i < scan->reader.count; i++)
		printf("%llx %llx %u %u,", scan->parts[i].hash, scan->parts[i].parent,
		       scan->parts[i].whole, scan->parts[i].sure);
	free(scan);
}

/* argv[1]: what the buffer held before, as a number. */
int main(int argc, char **argv)
{
	static char line[8 + 2 * sizeof(message)];
	int stale = argc > 1 ? atoi(argv[1]) : 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "dns ", 4)) {
			struct learned learned = learned_from(message, unhexed(line + 4), stale);

			print_learned(&learned);
		} else if (!strncmp(line, "hello ", 6)) {
			struct heard heard = heard_from(message, unhexed(line + 6), stale);

			print_heard(&heard);
		} else if (!strncmp(line, "scan ", 5)) {
			__u32 flags = unhexed(line + 5) ? message[0] : 0;

			print_scan(unhexed(line + 7), flags, stale);
		} else {
			return EXIT_FAILURE;
		}
		putchar('\n');
	}
	return 0;
}
