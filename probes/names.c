// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Rules about names and addresses, and which name an address was given for.
 */
#include "policy.h"
#include "read.h"
#include "suffix.h"
#include "tables.h"

/* 16 bytes, IPv4 as ::ffff:a.b.c.d. */
struct address {
	u8 be[16];
};

BPF_F_TABLE("hash", struct banked_key, struct domain_rules, domains, 32768, BPF_F_NO_PREALLOC);
BPF_F_TABLE("lpm_trie", struct range_key, struct span, ranges, 32768, BPF_F_NO_PREALLOC);
#define ADDRESSES 16384
BPF_TABLE("lru_hash", struct address_key, struct named, addresses, ADDRESSES);

/* How many addresses were learned lately: since when, and the number. */
struct learned {
	u64 since_ns;
	u64 count;
};
BPF_ARRAY(learned, struct learned, 1);
/* The resolvers that the host is configured with. */
BPF_TABLE("hash", struct address, u64, resolvers, 64);

/*
 * Browsers and connection pools use an address for longer than its TTL; it is
 * remembered at least that long. On port 443 the hello decides anyway.
 */
#define REMEMBERED_NS (300ULL * 1000000000ULL)

/* Who asks for what, in the terms of the tables. */
struct asked {
	u8 address_be[16];
	u16 tools[CHAIN];
	u64 suffixes[SUFFIXES]; /* of the name, all 0 where there is none */
	u64 labels;
	u64 holds; /* the conditions that do */
	u64 now_ns;
	u64 canary;
	u32 bank;
	u16 port_be;
	u8 has_address;
	u8 is_trusted; /* the name is its own word, or that of a resolver of the host's */
};

static inline int is_resolver(const u8 *address_be)
{
	return resolvers.lookup((struct address *)address_be) != 0;
}

/* The first of two choices in the order of the policy. */
static inline u64 first_of(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 choose_by_tools(const struct asked *asked)
{
	u64 best = NO_CHOICE;

	for (int i = 0; i < CHAIN; i++) {
		struct tool_rules *rules;

		if (i && !asked->tools[i])
			break;
		rules = rules_of_tool(asked->tools[i], asked->bank);
		if (!rules)
			break;
		best = first_of(
		    best, choose(&rules->reach, asked->holds, asked->port_be, asked->now_ns, 0, 1));
		best = blurred(best, asked->now_ns);
	}
	return best;
}

static inline u64 choose_by_range(const struct asked *asked)
{
	struct range_key key = {.bits = 32 + 128, .bank = asked->bank};
	struct span *span;

	__builtin_memcpy(key.address_be, asked->address_be, sizeof(key.address_be));
	span = ranges.lookup(&key);
	if (!span)
		return NO_CHOICE;
	return choose(span, asked->holds, asked->port_be, asked->now_ns, asked->canary, 1);
}

/*
 * By the longest suffix that policy knows; its hash goes to `domain`. A name
 * that is on the way to one of policy's is known too, and has the rules of what
 * it is below.
 */
static inline u64 choose_by_name(const struct asked *asked, u64 *domain)
{
	struct banked_key key = {.bank = asked->bank};
	u64 labels = asked->labels;
	struct span span = {};

	for (u64 i = SUFFIXES; i > 0; i--) {
		struct domain_rules *rules;

		key.id = asked->suffixes[i - 1];
		if (!key.id)
			continue;
		rules = domains.lookup(&key);
		if (!rules)
			continue;
		FORGET(labels);
		span = labels == i ? rules->itself : rules->below;
		*domain = key.id;
		break;
	}
	wash(&span, sizeof(span));
	return choose(&span, asked->holds, asked->port_be, asked->now_ns, 0, asked->is_trusted);
}

/* Has it asked by a name, too; what was not read to its end has no suffixes. */
static inline void ask_by_name(struct asked *asked, const u64 *suffixes, u64 labels)
{
	__builtin_memcpy(asked->suffixes, suffixes, sizeof(asked->suffixes));
	asked->labels = labels;
}

/* Whether a name, read to its end, is one that a rule is about. Most end after two look-ups. */
static inline int is_listed(struct host *host, u32 bank)
{
	struct banked_key key = {.bank = bank};

	for (u64 i = 0; i < SUFFIXES; i++) {
		struct domain_rules *rules;

		key.id = *(volatile u64 *)&host->suffixes[i];
		if (!key.id)
			return 0;
		rules = domains.lookup(&key);
		if (!rules)
			return 0;
		if (rules->itself.count || rules->below.count)
			return 1;
	}
	return 0;
}

/* The name by which somebody knows an address now, if by any. */
static inline struct named *name_of(const struct address_key *key, u32 uid)
{
	struct named *known = addresses.lookup((struct address_key *)key);

	if (!known || known->end_ns <= bpf_ktime_get_boot_ns())
		return 0;
	return known->trusted || known->uid == uid ? known : 0;
}

/*
 * A full table takes the place of the oldest without a word. Certain is this much: of
 * those learned within the time that each counts, no more than it has room for do.
 */
static inline void count_learned(void)
{
	u64 now_ns = bpf_ktime_get_boot_ns();
	u32 slot = 0;
	struct learned *lately = learned.lookup(&slot);

	if (!lately)
		return;
	if (now_ns - lately->since_ns >= REMEMBERED_NS) {
		lately->since_ns = now_ns;
		lately->count = 0;
	}
	lock_xadd(&lately->count, 1);
	if (lately->count > ADDRESSES)
		count_lost(LOST_ADDRESS);
}

/*
 * The name that was asked for last counts; one of no account, without an end,
 * takes away what was known. But an answer that nobody vouches for does not take
 * the place of one that counts.
 */
static inline void remember_name(const struct address_key *key, const struct named *name)
{
	struct named *known = addresses.lookup((struct address_key *)key);

	if (known && known->trusted && !name->trusted && known->end_ns > bpf_ktime_get_boot_ns())
		return;
	if (name->end_ns && !known)
		count_learned();
	if (name->end_ns)
		addresses.update((struct address_key *)key, (struct named *)name);
	else if (known)
		addresses.delete((struct address_key *)key);
}
