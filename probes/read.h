/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Explicit reads of kernel memory, and what the verifier needs to be told.
 * Types come from <kernel_types.h>, which is written on the host from its BTF.
 */
#ifndef PROBES_READ_H
#define PROBES_READ_H

#include <kernel_types.h>
#include "bits.h"

/* include/linux/socket.h, include/uapi/linux/in.h */
#define AF_INET 2
#define IPPROTO_UDP 17

/*
 * BCC turns calls of these helpers into bpf_probe_read(), which programs of cgroups may not call,
 * where /proc/kallsyms does not show it that the kernel has them: to a hardened service it shows
 * nothing. All kernels with a ring buffer have them (5.5); another name BCC leaves as it is.
 */
static long (*read_kernel)(void *to, __u32 bytes, const void *from) =
	(void *)BPF_FUNC_probe_read_kernel;
static long (*read_kernel_str)(void *to, __u32 bytes, const void *from) =
	(void *)BPF_FUNC_probe_read_kernel_str;
static long (*read_user)(void *to, __u32 bytes, const void *from) =
	(void *)BPF_FUNC_probe_read_user;
static long (*read_user_str)(void *to, __u32 bytes, const void *from) =
	(void *)BPF_FUNC_probe_read_user_str;
#define bpf_probe_read_kernel read_kernel
#define bpf_probe_read_kernel_str read_kernel_str
#define bpf_probe_read_user read_user
#define bpf_probe_read_user_str read_user_str

/* Where clang lays the rare path out of the way: after an exec the code is cold too. */
#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* The value of a member, 0 where the pointer is bad. */
#define READ(ptr, member)                                                                          \
	({                                                                                         \
		typeof((ptr)->member) value_ = 0;                                                  \
		bpf_probe_read_kernel(&value_, sizeof(value_), (void *)&(ptr)->member);            \
		value_;                                                                            \
	})

/*
 * Makes the verifier forget what it knows of some of the stack, so that the
 * paths by which it came to be so merge. What is there stays as it is.
 */
static inline void wash(void *values, u32 bytes)
{
	bpf_probe_read_kernel(values, bytes, values);
}

/* v cut to 0..hi, in a form that verifiers from 5.10 on learn both ends from. */
static inline __u64 at_most(__u64 v, __u64 hi)
{
	FORGET(v);
	if (v > hi)
		v = hi;
	FORGET(v);
	return v;
}

/*
 * v cut to 1..hi, hi a power of two. `v < 1` would be compiled to `v == 0`,
 * from which verifiers before 6.8 learn nothing; the mask they understand.
 */
static inline __u64 one_to(__u64 v, __u64 hi)
{
	if (v > hi)
		v = hi;
	FORGET(v);
	return ((v - 1) & (hi - 1)) + 1;
}

/* Copies of addresses in one form: IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
static inline void map_ipv4(__u8 *address_be, __u32 ip4_be)
{
	__u32 *words = (__u32 *)address_be;

	words[0] = 0;
	words[1] = 0;
	words[2] = __builtin_bswap32(0xffff);
	words[3] = ip4_be;
}

#endif
