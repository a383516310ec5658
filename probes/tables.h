/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Values of the maps that user space writes too. sensor/wire/tables.py has the
 * same layouts, and its test compares them with this file as compiled.
 */
#ifndef PROBES_TABLES_H
#define PROBES_TABLES_H

#include "policy.h"

/* `members`, by pid: a process that is followed. */
struct member {
	__u64 started_ns;
	__u64 root_started_ns; /* the first candidate among its ancestors, or itself */
	__u32 root_pid;
	__u32 paths;	    /* bits of `places`: the folders that its tool's file lies below */
	__u16 tools[CHAIN]; /* none while the kernel is not sure: user space enters them then */
};

/* Key of `addresses`: in another network namespace an address is another one. */
struct address_key {
	__u8 address_be[16];
	__u64 netns; /* its cookie */
};

/*
 * `addresses`: the name that was asked for last, as the hashes of its suffixes
 * ("com" is the first), whatever policy is in force. What nobody vouches for
 * counts for the user who asked.
 */
struct named {
	__u64 suffixes[SUFFIXES];
	__u64 end_ns;  /* CLOCK_BOOTTIME */
	__u32 labels;  /* of the whole name */
	__u32 trusted; /* a resolver that the host is configured with said so */
	__u32 uid;
	__u32 reserved;
};

/* `flows`, by socket cookie: a TCP connection of a member. */
struct flow {
	struct member member;
	__u64 opened_ns;
	__u64 established_ns; /* 0: not yet */
	__u32 pid;
	__u16 port_be;
	__u16 reserved;
	__u8 address_be[16]; /* IPv4 as ::ffff:a.b.c.d */
};

/*
 * From this size on a file that no name settles is looked into. The smallest
 * tool that is one program had 101 MB (amp); what builds start over and over has less.
 */
#define LARGE_BYTES (20 << 20)

/* Key of `inodes` and `asked`: a file, as long as nobody changes it. */
struct image_key {
	__u64 dev; /* of the superblock, which stat(2) of some file systems does not show */
	__u64 ino;
	__u64 ctime_ns;
};

/*
 * Key of `scripts` and `shown`: a script as an interpreter was given it. The file is
 * opened after the exec, so that it is known by its path alone, and from where: in
 * another mount namespace it can be another file, though the folder is the same.
 */
struct script_key {
	__u64 hash; /* of the word, 0: there is none */
	__u64 ino;  /* of the working directory, or of the root where the path begins there */
	__u32 dev;
	__u32 mntns; /* which mount namespace: not its inode, which the next one is given again */
};

/* Value of `options`, with the MARK_* of the interpreters that know the word. */
#define OPTION_VALUED (1U << 16) /* the next word is its value */
#define OPTION_FINAL (1U << 17)	 /* no script follows */
#define OPTION_VERB (1U << 18)	 /* the script may follow */

/* `asked`: how far user space is with a file. */
#define ASKED 1	   /* it was told */
#define SEARCHED 2 /* it has looked, and the kernel is to go by what the names say */

/* `names`, `words`, `inodes` and `answers`: what a name, or a file's content, gives away. */
struct mark {
	__u32 tool;  /* 1-based index into the catalogue, 0: none */
	__u32 flags; /* MARK_* of marks.h */
};

#endif
