// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether somebody may reach something: what the rules about tools, addresses
 * and names say together. The same as sensor/core/policy/lookup.py, which a
 * property holds to the policy's own words.
 */
#include "events.h"
#include "policy.h"
#include "read.h"
#include "tables.h"

#define HTTPS_PORT_BE __builtin_bswap16(443)
#define DNS_PORT_BE __builtin_bswap16(53)
#define IPPROTO_TCP 6

/* What was said, and by which suffix of a name: 0 where no name decided. */
struct judged {
	u64 choice;
	u64 domain;
};

static inline int is_own_resolver(const struct asked *asked)
{
	return asked->port_be == DNS_PORT_BE && asked->has_address &&
	       is_resolver(asked->address_be);
}

static inline void judge_reach(struct judged *said, const struct asked *asked)
{
	u64 choice = choose_by_tools(asked), domain = 0, by_name;

	if (asked->has_address)
		choice = blurred(first_of(choice, choose_by_range(asked)), asked->now_ns);
	said->domain = 0;
	if (asked->suffixes[0]) {
		by_name = choose_by_name(asked, &domain);
		if (by_name < choice) {
			choice = by_name;
			said->domain = domain;
		}
	}
	if (confines(choice) && is_own_resolver(asked))
		choice = (choice & ~0xffffULL) | VERDICT_ALLOW << 8;
	said->choice = choice;
}
