# SPDX-License-Identifier: Apache-2.0
"""The catalogue of ways around a policy: what docs/bypasses.md shows, and `prove` carries out."""

from __future__ import annotations

from sensor.core.proof.technique import WAITS_S, Asks, Port, Reach, Says, Start, Technique
from sensor.core.tools import MarkKind

NAME, FORM, MEMORY, AROUND = "names", "interpreters and loaders", "no file", "leaving and flooding"
CALLS, ADDRESSES, LOOKUPS, WORDS = "other calls", "addresses", "look-ups", "what is said"

# What is tried is small; a file of the size of a tool's program is known by what it holds.
CONTENT: str | None = "its name and folder say nothing, and it is too small to be looked into"

_FOUND = "what it is stands in a file that is read once it runs"


def _start(
    name: str, family: str, tries: str, way: Start, *, blind: str | None = None,
    late: str | None = None, defect: str | None = None,
) -> Technique:  # fmt: skip
    return Technique(
        id=name, family=family, tries=tries, way=way, blind=blind, late=late, defect=defect
    )


def _found(
    name: str, family: str, tries: str, way: Start, *, as_running: bool = False
) -> Technique:
    return Technique(
        id=name, family=family, tries=tries, way=way, late=_FOUND, as_running=as_running
    )


def _reach(
    name: str, family: str, tries: str, way: Reach, *, blind: str | None = None
) -> Technique:
    return Technique(id=name, family=family, tries=tries, way=way, blind=blind)


_TOOL = "{folder}/bin/{name}"
_SCRIPT = "{folder}/scripts/{name}"
_PYTHON_SCRIPT = "{folder}/python/{name}"
_VALUE = "only user space knows which flags take a value"
_MODULE = MarkKind.MODULE
_WAITING = f'sleep {WAITS_S}; : >"$MARK"'


def _given(script: str, mark: MarkKind) -> Start:
    return Start(file="{python}", argv=("{file}", "-S", script), by_name=False, mark=mark)


STARTS = (
    _start("plain", NAME, "the tool as it is", Start(file=_TOOL)),
    _start("copy", NAME, "a copy in another folder", Start(file="{folder}/copy/{name}")),
    _start("rename", NAME, "a file that got the tool's name", Start(file="{folder}/moved/{name}")),
    _start("link-named", NAME, "a symbolic link with the tool's name to another file",
           Start(file="{folder}/links/{name}")),
    _start("link-to-name", NAME, "a symbolic link with another name to the tool",
           Start(file="{folder}/links/innocent")),
    _start("hard-link", NAME, "a hard link with the tool's name",
           Start(file="{folder}/hard/{name}")),
    _start("package-folder", NAME, "another name in the folder of the tool's package",
           Start(file="{folder}/{pair}/innocent", mark=MarkKind.PATH)),
    _start("argv0", NAME, "another argv[0] and another name of the process (exec -a, prctl)",
           Start(file=_TOOL, how="disguised")),
    _start("renamed-copy", NAME, "a copy with another name in another folder",
           Start(file="{folder}/other/innocent"), blind=CONTENT),
    _start("hard-link-away", NAME, "a hard link with another name in another folder",
           Start(file="{folder}/hard/innocent"), blind=CONTENT),
    _found("renamed-program", NAME, "a program of the size of the tool's, with another name, that"
           " holds the texts of the tool's own",
           Start(file="{folder}/other/large", argv=("{file}", "-c", _WAITING), by_name=False,
                 mark=MarkKind.CONTENT), as_running=True),
    _start("proc-root", NAME, "the path through /proc/self/root",
           Start(file="/proc/self/root{folder}/bin/{name}")),
    _start("bind-mount", NAME, "a bind mount over a file with another name",
           Start(file=_TOOL, how="bound")),
    _start("chroot", NAME, "the tool in another root (chroot)",
           Start(file=_TOOL, how="chrooted")),
    _start("overlay", NAME, "the tool seen through an overlay file system",
           Start(file=_TOOL, how="overlaid")),
    _start("script", FORM, "a script with the tool's name (#!/bin/sh)", Start(file=_SCRIPT)),
    _start("script-env", FORM, "a script with the tool's name (#!/usr/bin/env python3)",
           Start(file=_PYTHON_SCRIPT)),
    _start("interpreter", FORM, "an interpreter with the script's path",
           Start(file="{python}", argv=("{file}", "-S", _PYTHON_SCRIPT), by_name=False)),
    _start("interpreter-flag", FORM, "the same after a flag that takes a value",
           Start(file="{python}", argv=("{file}", "-W", "ignore", _PYTHON_SCRIPT), by_name=False),
           late=_VALUE),
    _found("renamed-script", FORM, "an interpreter with a script of another name that holds the"
           " texts of the tool's own", _given("{folder}/other/script", MarkKind.SCRIPT)),
    _found("linked-script", FORM, "an interpreter with a link of another name to the script in the"
           " tool's package", _given("{folder}/links/script", MarkKind.PATH)),
    _found("console-script", FORM, "an interpreter with the script of another name that pip or uv"
           " makes for the tool", _given("{folder}/other/console", MarkKind.MODULE)),
    _start("module", FORM, "python -m",
           Start(file="{python}", argv=("{file}", "-m", "{module}"), by_name=False, mark=_MODULE)),
    _start("loader", FORM, "the dynamic loader with the tool as its argument",
           Start(file="{loader}", argv=("{file}", _TOOL), by_name=False)),
    _start("loader-flag", FORM, "the same after a flag that takes a value",
           Start(file="{loader}", argv=("{file}", "--library-path", "/lib", _TOOL),
                 by_name=False), late=_VALUE),
    _start("shell-script", FORM, "a shell with the script's path (sh ./tool)",
           Start(file="{sh}", argv=("{file}", _SCRIPT), by_name=False),
           blind="a shell that is given a script is not taken for it"),
    _start("overlong", FORM, "an interpreter with 256 bytes of flags before the script",
           Start(file="{python}", argv=("{file}", *["-Wignore"] * 40, _PYTHON_SCRIPT),
                 by_name=False),
           blind="the script's name stands behind the 256 bytes that are looked at"),
    _start("execveat", FORM, "execveat relative to a folder", Start(file=_TOOL, how="execveat")),
    _start("fexecve", FORM, "a file descriptor of the tool", Start(file=_TOOL, how="fexecve")),
    _start("compat", FORM, "the 32-bit system call (int 0x80)", Start(file=_TOOL, how="compat")),
    _start("vfork", FORM, "posix_spawn, which is vfork", Start(file=_TOOL, how="spawned")),
    _start("thread", FORM, "exec from another thread", Start(file=_TOOL, how="threaded")),
    _start("memfd", MEMORY, "a copy in memory, under the tool's name (memfd)",
           Start(file=_TOOL, how="memfd")),
    _start("memfd-renamed", MEMORY, "a copy in memory, under another name",
           Start(file="{folder}/other/innocent", how="memfd"), blind=CONTENT),
    _start("deleted", MEMORY, "the tool, deleted before it is executed",
           Start(file=_TOOL, how="deleted")),
    _start("detached", AROUND, "setsid and a double fork before the execution",
           Start(file=_TOOL, how="detached")),
    _start("flood", AROUND, "200 executions at once", Start(file=_TOOL, how="flood")),
)  # fmt: skip

_TLS = Port.TLS
_UNSAID = "the name is said where nothing reads it"

REACHES = (
    _reach("connect", CALLS, "connect", Reach(by_range=True)),
    _reach("nonblocking", CALLS, "a connect that does not wait",
           Reach(how="nonblocking", by_range=True)),
    _reach("fast-open", CALLS, "TCP fast open: no connect at all",
           Reach(how="fastopen", by_range=True)),
    _reach("io-uring", CALLS, "io_uring: a connect without the system call",
           Reach(how="uring", by_range=True)),
    _reach("mptcp", CALLS, "Multipath TCP", Reach(how="mptcp", by_range=True)),
    _reach("mptcp-fast-open", CALLS, "TCP fast open with Multipath TCP",
           Reach(how="mptcp-fastopen", by_range=True)),
    _reach("udp", CALLS, "a datagram socket, connected", Reach(how="udp", by_range=True, udp=True)),
    _reach("sendto", CALLS, "sendto on a datagram socket",
           Reach(how="sendto", by_range=True, udp=True)),
    _reach("sendmsg", CALLS, "sendmsg on a datagram socket",
           Reach(how="sendmsg", by_range=True, udp=True)),
    _reach("sendmmsg", CALLS, "sendmmsg on a datagram socket",
           Reach(how="sendmmsg", by_range=True, udp=True)),
    _reach("raw-socket", CALLS, "a raw socket that spells the datagram out",
           Reach(how="raw", by_range=True, udp=True),
           blind="raw sockets pass elsewhere; they take CAP_NET_RAW"),
    _reach("ipv6", ADDRESSES, "an address of IPv6", Reach(by_range=True, ipv6=True)),
    _reach("mapped-ipv6", ADDRESSES, "the address mapped into IPv6 (::ffff:a.b.c.d)",
           Reach(by_range=True, mapped=True)),
    _reach("mapped-udp", ADDRESSES, "the same with sendto",
           Reach(how="sendto", by_range=True, mapped=True, udp=True)),
    _reach("double-fork", AROUND, "setsid and a double fork, then connect",
           Reach(via="detached", by_range=True, in_session=True)),
    _reach("child", AROUND, "another program, started by the tool, connects",
           Reach(via="child", by_range=True, in_session=True)),
    _reach("detached-child", AROUND, "another program, detached from the tool, connects",
           Reach(via="detached-child", by_range=True, in_session=True)),
    _reach("tmux", AROUND, "another program, which a tmux that ran before starts for the tool,"
           " connects a moment later",
           Reach(via="child", by_range=True, in_session=True, by_broker=True)),
    _reach("resolve-connect", LOOKUPS, "a look-up, and the connect at once",
           Reach(asks=Asks.RESOLVER)),
    _reach("resolve-udp", LOOKUPS, "a look-up, and a datagram at once",
           Reach(how="sendto", asks=Asks.RESOLVER, udp=True)),
    _reach("other-resolver", LOOKUPS, "a resolver of one's own", Reach(asks=Asks.ANOTHER)),
    _reach("quic", LOOKUPS, "UDP port 443, where QUIC says no name that can be read",
           Reach(how="sendto", asks=Asks.RESOLVER, port=_TLS, udp=True)),
    _reach("quic-unasked", LOOKUPS, "the same in a session, and nobody looked the name up",
           Reach(how="sendto", port=_TLS, udp=True, in_session=True)),
    _reach("dns-over-tcp", LOOKUPS, "a look-up over TCP, and a TLS hello",
           Reach(asks=Asks.TCP, says=Says.HELLO, port=_TLS)),
    _reach("hosts-file", LOOKUPS, "/etc/hosts, and a TLS hello",
           Reach(asks=Asks.HOSTS, says=Says.HELLO, port=_TLS)),
    _reach("hard-coded", LOOKUPS, "no look-up (or an encrypted one), and a TLS hello",
           Reach(says=Says.HELLO, port=_TLS)),
    _reach("hard-coded-plain", LOOKUPS, "no look-up, and no TLS either", Reach(), blind=_UNSAID),
    _reach("hello", WORDS, "a look-up, and a TLS hello",
           Reach(asks=Asks.RESOLVER, says=Says.HELLO, port=_TLS)),
    _reach("hello-other-port", WORDS, "no look-up, and a TLS hello to another port",
           Reach(says=Says.HELLO)),
    _reach("hello-capitals", WORDS, "a TLS hello with the name in capitals",
           Reach(says=Says.SHOUTED, port=_TLS)),
    _reach("hello-pieces", WORDS, "a TLS hello in pieces: the one with the name does not arrive",
           Reach(says=Says.PIECES, port=_TLS)),
    _reach("hello-records", WORDS, "a TLS hello in two records",
           Reach(says=Says.RECORDS, port=_TLS), blind="only one record is read"),
    _reach("no-sni", WORDS, "a look-up, and a TLS hello without a name",
           Reach(asks=Asks.RESOLVER, says=Says.NAMELESS, port=_TLS)),
    _reach("no-sni-unasked", WORDS, "no look-up, and a TLS hello without a name",
           Reach(says=Says.NAMELESS, port=_TLS), blind=_UNSAID),
    _reach("fronting", WORDS, "a look-up, and a TLS hello with the name of another site",
           Reach(asks=Asks.RESOLVER, says=Says.FRONT, port=_TLS),
           blind="sites share addresses: the name in the hello is believed"),
    _reach("proxy-connect", WORDS, "a proxy that is told CONNECT",
           Reach(says=Says.CONNECT, port=Port.PROXY)),
    _reach("proxy-get", WORDS, "a proxy that is told GET http://",
           Reach(says=Says.GET, port=Port.PROXY)),
    _reach("proxy-second", WORDS, "a proxy that is told CONNECT behind a request for another site",
           Reach(says=Says.SECOND, port=Port.PROXY),
           blind="of a connection to a proxy the first request alone is looked at"),
    _reach("socks", WORDS, "a SOCKS 5 proxy",
           Reach(says=Says.SOCKS, port=Port.PROXY), blind=_UNSAID),
)  # fmt: skip

TECHNIQUES = (*STARTS, *REACHES)

NOT_TRIED = {
    "changing argv, path or address after the system call": "a race that is won now and then; all"
    " are the kernel's own copies",
    "ptrace, LD_PRELOAD, process_vm_writev": "what runs in an allowed process is judged by what it"
    " reaches, as above",
    "a tunnel that was open before (ssh -L), a relay, a Unix socket": "reaches what is reached"
    " already; confine the tool with `egress_only`",
    "a socket that a helper hands over": "seen in the cgroup where it was made",
    "`at`, systemd-run, a container runtime": "starts something outside of the scratch cgroup; it"
    " joins the session of who asked, like `tmux`, a container by a marker alone"
    " (tests/kernel/test_brokers.py)",
    "cron": "runs at a time to come, in no session; judged by what it is and reaches",
    "other 32-bit system calls than execve, those of x32": "the hooks lie below them all",
    "encrypted ClientHello": "there is no name to be read",
    "a user's stack over packet sockets or tun": "takes CAP_NET_RAW or CAP_NET_ADMIN, like"
    " `raw-socket`",
    "killing the daemon, unloading the probes": "for root alone, and would do harm: verdicts"
    " outlive the daemon (tests/kernel/test_policy.py)",
    "filling the table of processes": "would do harm",
}
"""What is not carried out, and why."""
