/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the probes tell user space: one struct a record, written to the ring
 * buffer `records`. sensor/wire/probe.py reads them; tests/wire/test_probe.py
 * compiles this file and compares every offset with the Python side.
 *
 * Rules: wide fields first, no implicit padding, sizes a multiple of 8, units
 * and byte order in the names. Times are CLOCK_BOOTTIME. A pid here is a tgid
 * as the initial pid namespace sees it.
 */
#ifndef PROBES_EVENTS_H
#define PROBES_EVENTS_H

#include <linux/types.h>

enum record_kind {
	RECORD_EXEC = 1,
	RECORD_FORK,
	RECORD_EXIT,
	RECORD_CONNECT,
	RECORD_CLOSE,
	RECORD_ANSWER,
	RECORD_KINDS, /* also the size of the map `lost` */
};

/*
 * Slots of `lost` beside the record kinds. A full table is a loss too:
 * what it would have followed is not followed.
 */
enum lost_slot {
	LOST_MEMBER = RECORD_KINDS, /* `members` full: a descendant is not followed */
	LOST_FLOW,		    /* `flows` full: a close is not told */
	LOST_SLOTS,
};

/* Why the kernel took a process for a candidate; exec_record.signals. */
#define SIGNAL_NAME (1U << 0)	  /* basename as typed (comm, just set by exec) */
#define SIGNAL_FILE (1U << 1)	  /* name or path components of the resolved file */
#define SIGNAL_ARGUMENT (1U << 2) /* what an interpreter or the loader was given */
#define SIGNAL_SESSION (1U << 3)  /* member of a session already */

/* exec_record.flags */
#define EXEC_FILELESS (1U << 0) /* memfd, or no name left on disk */
#define EXEC_EXE_CUT (1U << 1)
#define EXEC_CWD_CUT (1U << 2)
#define EXEC_TYPED_CUT (1U << 3)
#define EXEC_INTERP_CUT (1U << 4)
#define EXEC_ARGV_CUT (1U << 5)
#define EXEC_ARGV_UNREAD (1U << 6) /* argv could not be read; the field is empty */
#define EXEC_NO_LOGINUID (1U << 7) /* kernel without CONFIG_AUDIT */

/* include/linux/fs.h: PATH_MAX; the ELF loader refuses longer names as well. */
#define EXE_BYTES 4096
#define CWD_BYTES 1024
#define TYPED_BYTES 1024
#define INTERP_BYTES 256
#define ARGV_BYTES 8192
#define TTY_BYTES 16
/* EDNS buffers are 1232 since DNS Flag Day 2020; what is longer is cut, and says so. */
#define ANSWER_BYTES 2048

struct record_head {
	__u64 at_ns;
	__u64 root_started_ns; /* the process that became a candidate first ... */
	__u32 root_pid;	       /* ... and is the root of this one's session */
	__u32 pid;
	__u16 kind;
	__u16 reserved;
	__u32 size; /* bytes of the whole record */
};

/*
 * Followed by five byte strings without a terminator, in this order: exe, cwd
 * (both as path components from the leaf to the root, each ended by a NUL),
 * typed, interp, argv (each argument ended by a NUL).
 */
struct exec_record {
	struct record_head head;
	__u64 started_ns;
	__u64 parent_started_ns;
	__u64 cgroup_id;
	__u64 ino;
	__u64 ctime_ns;
	__u64 file_bytes;
	__u32 parent_pid;
	__u32 uid;
	__u32 loginuid;
	__u32 dev;  /* kernel encoding: major << 20 | minor */
	__u32 tool; /* catalogue index of the first mark that hit; 0: none */
	__u32 signals;
	__u32 flags;
	__u16 exe_bytes;
	__u16 cwd_bytes;
	__u16 typed_bytes;
	__u16 interp_bytes;
	__u16 argv_bytes;
	__u16 reserved;
	char tty[TTY_BYTES];
};

/* head.pid is the child. */
struct fork_record {
	struct record_head head;
	__u64 started_ns;
	__u64 parent_started_ns;
	__u32 parent_pid;
	__u32 uid;
};

/* The last thread of head.pid has ended. */
struct exit_record {
	struct record_head head;
	__u64 started_ns;
	__u32 status; /* as wait(2) reports it */
	__u32 reserved;
};

enum connect_op {
	OP_CONNECT = 1,
	OP_SENDMSG,
};

struct connect_record {
	struct record_head head;
	__u64 started_ns;
	__u64 cookie;	     /* of the socket: SO_COOKIE, unique until reboot */
	__u8 address_be[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u32 uid;
	__u16 port_be;
	__u8 protocol; /* IPPROTO_* */
	__u8 op;
};

/* A TCP socket of a session reached TCP_CLOSE. */
struct close_record {
	struct record_head head;
	__u64 started_ns;
	__u64 cookie;
	__u64 opened_ns;
	__u64 established_ns; /* 0: never */
	__u64 sent_bytes;     /* acknowledged by the peer */
	__u64 received_bytes;
	__u8 address_be[16];
	__u16 port_be;
	__u16 error; /* errno on the socket, 0: none */
	__u32 reserved;
};

/* A DNS answer that reached a session's socket; followed by the message. */
struct answer_record {
	struct record_head head;
	__u64 started_ns;
	__u64 cookie;
	__u8 resolver_be[16];
	__u32 message_bytes; /* in this record */
	__u32 whole_bytes;   /* on the wire */
};

#endif
