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
	RECORD_HELLO,
	RECORD_KINDS, /* also the size of the map `lost` */
};

/*
 * Slots of `lost` beside the record kinds. A full table is a loss too:
 * what it would have followed is not followed.
 */
enum lost_slot {
	LOST_MEMBER = RECORD_KINDS, /* `members` full: a descendant is not followed */
	LOST_FLOW,		    /* `flows` full: a close is not told */
	LOST_JUDGED,		    /* no room to judge what a packet says: it was let through,
				       or held back where the rule says so */
	LOST_ADDRESS,		    /* `addresses` full: a name that counts was forgotten */
	LOST_MISSED,		    /* a program that ran on this CPU already was not run: counted
				       by the kernel (bpf_prog_info), here how often a stand-by was */
	LOST_SLOTS,
};

/* What policy said of an attempt. */
enum verdict {
	VERDICT_NONE, /* no policy, or nothing in it is about this */
	VERDICT_ALLOW,
	VERDICT_ALERT,
	VERDICT_WOULD_BLOCK,
	VERDICT_BLOCK,
	VERDICT_SKIP, /* in tables alone: an exception to the rule of the same number */
};

/* How a refusal was carried out. */
enum enforcement {
	ENFORCED_NOT,
	ENFORCED_LSM,	 /* -EPERM before the exec committed */
	ENFORCED_KILL,	 /* SIGKILL after it, before the first user instruction */
	ENFORCED_CGROUP, /* -EPERM from connect(2) or a send */
	ENFORCED_TLS,	 /* the ClientHello never left */
	ENFORCED_PROXY,	 /* the CONNECT line to a proxy never left */
};

/* Numbers in the place of a rule's, for what is no rule of the policy's text. */
#define RULE_DEFAULT 0xffff /* [defaults] */
#define RULE_QUIC 0xfffe    /* UDP 443 of whom names are judged on TCP 443 */
#define RULE_CANARY 0xfffd  /* the sensor's own proof that it enforces */
#define RULE_FULL 0xfffc    /* no room to follow a process, and a rule of its fails closed */
#define RULES 0xfff0

struct ruling {
	__u32 policy; /* generation of the policy that said so; 0: none */
	__u16 rule;   /* index in that policy, or RULE_* */
	__u8 verdict;
	__u8 enforcement;
};

/* Tools whose sessions a process is in, as catalogue indexes, the outermost first; 0: none. */
#define CHAIN 4

/* Why the kernel took a process for a candidate; exec_record.signals. */
#define SIGNAL_NAME (1U << 0)	  /* basename as typed (comm, just set by exec) */
#define SIGNAL_FILE (1U << 1)	  /* name or path components of the resolved file */
#define SIGNAL_ARGUMENT (1U << 2) /* what an interpreter or the loader was given */
#define SIGNAL_SESSION (1U << 3)  /* member of a session already */
#define SIGNAL_CONTENT (1U << 4)  /* user space has looked into this file before */
#define SIGNAL_SCRIPT (1U << 5)	  /* of no record: what user space notes of a script that it has looked into */

/* exec_record.flags */
#define EXEC_FILELESS (1U << 0) /* memfd, or no name left on disk */
#define EXEC_EXE_CUT (1U << 1)
#define EXEC_CWD_CUT (1U << 2)
#define EXEC_TYPED_CUT (1U << 3)
#define EXEC_INTERP_CUT (1U << 4)
#define EXEC_ARGV_CUT (1U << 5)
#define EXEC_ARGV_UNREAD (1U << 6) /* argv could not be read; the field is empty */
#define EXEC_NO_LOGINUID (1U << 7) /* kernel without CONFIG_AUDIT */
#define EXEC_UNSURE                                                                                \
	(1U << 8)	       /* the kernel alone does not take it for the tool: a name           \
				  that others bear too, or not surely what runs */
#define EXEC_REFUSED (1U << 9) /* the process goes on with the image it had: argv is unread */
#define EXEC_UNSEARCHED                                                                            \
	(1U << 10) /* a large file that no name settles, told once: its content is to be           \
		      looked into. Of a process in no session root_pid is 0 then. */
#define EXEC_BROKERED                                                                              \
	(1U << 11) /* a broker's child (brokers.c), while somebody is followed: a session          \
		      may have asked for it. It is followed until user space knows. */

#define EXEC_SCRIPT                                                                                \
	(1U << 12) /* an interpreter was given a script that no name settles, told once a          \
		      while: it is to be looked into. root_pid is as above. */

#define COMM_BYTES 16 /* include/linux/sched.h: TASK_COMM_LEN */

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
	__u64 script_hash; /* struct script_key of tables.h; 0: of no interpreter, or not known */
	__u64 script_ino;
	__u32 script_dev;
	__u32 script_mntns;
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
	struct ruling ruling;
	__u16 tools[CHAIN];
	char tty[TTY_BYTES];
};

/* head.pid is the child. */
struct fork_record {
	struct record_head head;
	__u64 started_ns;
	__u64 parent_started_ns;
	__u32 parent_pid;
	__u32 uid;
	__u16 tools[CHAIN];
};

/* The last thread of head.pid has ended. */
struct exit_record {
	struct record_head head;
	__u64 started_ns;
	__u32 status; /* as wait(2) reports it */
	__u32 reserved;
};

/* Of a process in no session root_pid is 0: told for a verdict's sake alone. */
struct connect_record {
	struct record_head head;
	__u64 started_ns;
	__u64 cookie; /* of the socket: SO_COOKIE, unique until reboot */
	__u64 domain; /* hash of the suffix by which a name was judged; 0: none was */
	__u64 cgroup_id;
	struct ruling ruling;
	__u8 address_be[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u32 uid;
	__u16 port_be;
	__u8 protocol; /* IPPROTO_* */
	__u8 reserved;
	char comm[COMM_BYTES];
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

/* A DNS answer that reached a session's socket over UDP; followed by the message. */
struct answer_record {
	struct record_head head;
	__u64 started_ns;
	__u64 cookie;
	__u8 resolver_be[16];
	__u32 message_bytes; /* in this record */
	__u32 whole_bytes;   /* on the wire */
};

enum hello_source {
	HELLO_SNI = 1, /* server_name of a TLS ClientHello (RFC 6066, 3) */
	HELLO_PROXY,   /* the target of an HTTP CONNECT (RFC 9110, 9.3.6) */
	HELLO_NOTHING, /* neither: judged by the name that was looked up, or for having none */
};

#define HELLO_BYTES 256

/*
 * A TCP connection judged by the first that it says. Told for sessions, and for
 * others where the verdict is more than to let it pass. Where nobody of a
 * session connected, root_pid is 0; head.pid is 0 where nobody is known.
 */
struct hello_record {
	struct record_head head;
	__u64 started_ns;
	__u64 cookie;
	__u64 domain; /* hash of the suffix by which it was judged; 0: none */
	__u64 cgroup_id; /* the socket's */
	struct ruling ruling;
	__u8 remote_be[16];
	__u8 local_be[16];
	__u32 uid;
	__u16 remote_port_be;
	__u16 local_port_be;
	__u16 target_port_be; /* of a CONNECT; else the remote port */
	__u16 name_bytes;
	__u8 source;
	__u8 cut; /* the name is longer than what is told */
	__u16 reserved;
	char name[HELLO_BYTES];
};

#endif
