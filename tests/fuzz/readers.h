/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers of probes/ on the host: what a message makes them find, in the
 * order in which learn.c and segment.c call them.
 */
#ifndef FUZZ_READERS_H
#define FUZZ_READERS_H

#include "dns.h"
#include "hello.h"
#include "loaded.h"
#include "target.h"

/* Addresses that a DNS answer gives, for a name as its suffixes. */
struct learned {
	__u64 labels;
	__u64 suffixes[SUFFIXES];
	__u64 count;
	struct {
		__u64 at;
		__u64 bytes;
	} addresses[DNS_STEPS];
};

/* The first words of a connection. */
struct heard {
	__u64 found; /* enum hello_found; the rest is 0 where that is no name */
	__u64 name_at;
	__u64 name_bytes;
	__u64 labels;
	__u64 suffixes[SUFFIXES];
	__u64 port;
	__u64 ip4;
};

static inline struct learned learned_from(const __u8 *message, size_t bytes, int stale)
{
	struct reading *reading = loaded(message, bytes, stale);
	struct learned learned = {};

	if (bytes >= DNS_LEAST_BYTES && read_question(reading)) {
		for (int i = 0; i < DNS_STEPS; i++) {
			enum dns_step step = read_answer(reading);

			if (step == DNS_END)
				break;
			if (step != DNS_ADDRESS)
				continue;
			learned.addresses[learned.count].at = reading->name_at;
			learned.addresses[learned.count++].bytes = reading->name_bytes;
		}
		/* A name without an address teaches nothing, and may not even be all there. */
		if (learned.count)
			copy_name(&learned.labels, learned.suffixes, reading);
	}
	free(reading);
	return learned;
}

/* As segment.c has it. */
static inline void read_target(struct heard *heard, struct reading *reading)
{
	heard->port = HTTP_PORT;
	if (reading->text[heard->name_bytes] == ':' &&
	    !read_port(reading->text, heard->name_bytes + 1, &heard->port)) {
		begin_host(&reading->host);
		end_host(&reading->host);
		heard->port = 0;
		return;
	}
	heard->ip4 = read_ip4(reading->text, heard->name_bytes);
}

static inline struct heard heard_from(const __u8 *message, size_t bytes, int stale)
{
	struct reading *reading = loaded(message, bytes, stale);
	struct heard heard = {.found = FOUND_PART};

	if (bytes)
		heard.found = find_hello(reading, reading->text, reading->bytes);
	if (is_name(heard.found) && !read_host(reading))
		heard.found = FOUND_PART;
	if (is_name(heard.found)) {
		heard.name_at = reading->name_at;
		heard.name_bytes = reading->name_bytes;
		heard.ip4 = NO_IP4;
		memmove(reading->text, reading->text + reading->name_at,
			HELLO_BYTES + 1 + PORT_DIGITS);
		if (heard.found == FOUND_PROXY && heard.name_bytes < HOST_BYTES)
			read_target(&heard, reading);
		copy_name(&heard.labels, heard.suffixes, reading);
	}
	free(reading);
	return heard;
}

#endif
