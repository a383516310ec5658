/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Policy as the kernel looks it up. User space compiles rules to these tables
 * (sensor/core/policy/tables.py) and writes them (sensor/wire/rulings.py, whose
 * test compares the layouts). The kernel decides nothing of its own.
 *
 * Who acts is a set of conditions, one bit each: conditions of rules that are
 * the same share a bit. Every dimension (tool, user, cgroup, container, path)
 * says which conditions it does not rule out, and what is left of all of them
 * holds. What is acted upon (a tool that is executed, a name, an address) has
 * a list of entries in the order of the policy; the first whose condition holds
 * wins, and of several lists the entry with the lowest order.
 *
 * All tables are there twice, in banks: one is in force while the other is
 * written, and one word of `state` turns them over.
 */
#ifndef PROBES_POLICY_H
#define PROBES_POLICY_H

#include "events.h"

/* Entries of one list: what the verifiers get through, and more than policies have. */
#define ENTRIES_OF_LIST 32
/* Labels of a name that are looked up, from the last: "a.b.c.example.com" has five. */
#define SUFFIXES 6
#define PLACES 32 /* bits of member.paths */
/* Levels of cgroups that are looked at from the root. */
#define CGROUP_LEVELS 8

/* policy.flags: what of a policy needs a look at all */
#define POLICY_EXEC (1U << 0)	/* executions */
#define POLICY_RANGE (1U << 1)	/* addresses, whoever connects */
#define POLICY_NAME (1U << 2)	/* names, whoever connects */
#define POLICY_CGROUP (1U << 3) /* conditions name cgroups */
#define POLICY_PATH (1U << 4)	/* conditions name folders */
#define POLICY_USER (1U << 5)	/* conditions name users */
#define POLICY_INSIDE (1U << 6) /* conditions tell containers from the host */

/* `policies`, one a bank. Masks are of conditions. */
struct policy {
	__u64 any_user;	  /* what holds for a user who is not in `users` */
	__u64 any_cgroup; /* ... in a cgroup below none of `cgroups` */
	__u64 any_path;	  /* ... for a file below none of `places` */
	__u64 outside;	  /* ... in the initial pid namespace */
	__u64 inside;	  /* ... in another one, as in a container */
	__u64 closed;	  /* conditions of rules that fail closed */
	__u64 named;	  /* conditions of rules that refuse by name */
	__u32 generation;
	__u32 flags;
};

/* Some entries in a row; those of both banks share one array. */
struct span {
	__u32 start;
	__u32 count; /* at most ENTRIES_OF_LIST */
};

/* `tools`, by catalogue index * 2 + bank; index 0 is whoever is in no session. */
struct tool_rules {
	__u64 conditions;  /* what holds for this tool */
	struct span exec;  /* judges its execution */
	struct span reach; /* judges what its sessions reach */
};

/* `domains`, by the hash of a suffix: a name of the policy, or on the way to one. */
struct domain_rules {
	struct span itself; /* a name that is this suffix */
	struct span below;  /* a name that ends in it */
};

/* Key of `ranges`, a longest prefix match over the bank and 16 bytes of address. */
struct range_key {
	__u32 bits; /* of what follows: 32, and those of the prefix */
	__u32 bank;
	__u8 address_be[16]; /* IPv4 as ::ffff:a.b.c.d */
};

/* Keys of `users` and `cgroups`; their values are masks. */
struct banked_key {
	__u64 id; /* uid, or cgroup id */
	__u64 bank;
};

#define ENTRY_CONFINES 1 /* of egress_only: what no entry before it lets through */
#define ENTRY_TRUSTED 2	 /* ... what it lets through, by a name from somebody to trust */

/*
 * `entries`. Of several choices the lowest is the first in the policy:
 * order << 32 | rule << 16 | verdict << 8 | ENTRY_*.
 */
struct entry {
	__u64 conditions; /* all have to hold; 0: for all */
	__u64 end_ns;	  /* CLOCK_BOOTTIME; 0: no end */
	__u64 choice;
	__u16 port_be;
	__u16 port_mask; /* 0: any port */
	__u32 reserved;
};

#endif
