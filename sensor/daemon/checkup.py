# SPDX-License-Identifier: Apache-2.0
"""Asks this host for every feature, and leaves nothing attached, mounted or pinned.

The kernel is asked by loading the least program of a type: a list of features,
a symbol or a version number may say what the kernel then refuses.
"""

from __future__ import annotations

import errno
import mmap
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.checkup import ASK_AS_ROOT, ASK_LATER, Answer, Checkup, Finding, State
from sensor.core.features import FEATURES
from sensor.core.quote import quote
from sensor.daemon import loader
from sensor.edge import features, libbpf, mounts
from sensor.errors import SensorError, UnsupportedError
from sensor.wire.btf import Btf
from sensor.wire.headers import missing
from sensor.wire.programs import PROGRAMS, Hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.wire.headers import Missing

_ROOT = Path("/")

# include/uapi/linux/bpf.h: enum bpf_prog_type, bpf_attach_type, bpf_map_type
_TRACING, _LSM = 26, 29
_TRACE_FENTRY, _LSM_MAC = 24, 27
_RINGBUF = 27

# Runs in the kernel's own BPF tests only (net/bpf/test_run.c): attached to it, nobody is seen.
_HARMLESS = "bpf_fentry_test1"


def checkup() -> Checkup:
    """Ask everything once. Raises nothing for what a host lacks: that is an answer."""
    host = _Host()
    release, machine = features.kernel()
    return Checkup(
        release=release,
        machine=machine,
        findings=tuple(Finding(feature, host.answer(feature.id)) for feature in FEATURES),
    )


class _Host:
    """The running host, with what several questions need."""

    def __init__(self) -> None:
        self._rights = features.rights(_ROOT)
        self._questions: dict[str, Callable[[], Answer]] = {
            "rights": lambda: self._rights,
            "libbpf": _libbpf,
            "bcc": features.bcc,
            "btf": _btf,
            "btf_members": lambda: self._members(optional=False),
            "raw_tracepoint": self._raw_tracepoint,
            "ringbuf": lambda: self._asked(libbpf.try_map(_RINGBUF, mmap.PAGESIZE)),
            "lockdown": self._lockdown,
            "cgroup2": _cgroup2,
            "sock_addr": self._sock_addr,
            "cgroup_skb": lambda: self._loads(Hook.INGRESS),
            "sock_state": lambda: self._tracepoints(required=False),
            "loginuid": lambda: features.loginuid(_ROOT),
            "btf_optional": lambda: self._members(optional=True),
            "jit": lambda: features.jit(_ROOT),
            "bpffs": _bpffs,
            "lsm": self._lsm,
            "sock_destroy": lambda: features.sock_destroy(_ROOT),
            "udp_diag": lambda: features.udp_diag(_ROOT),
            "fentry": self._fentry,
            "kprobe": lambda: features.kprobe(_ROOT),
            "root_only_bpf": lambda: features.root_only_bpf(_ROOT),
            "io_uring": lambda: features.io_uring(_ROOT),
            "mptcp": lambda: features.mptcp(_ROOT),
        }

    def answer(self, feature: str) -> Answer:
        """Ask for one feature; what another one's absence keeps from being asked is unknown."""
        try:
            return self._questions[feature]()
        except UnsupportedError:
            return ASK_LATER
        except (SensorError, OSError) as problem:
            return Answer(State.UNKNOWN, str(problem))

    def _asked(self, refusal: int) -> Answer:
        """Give an errno its meaning; without rights, EPERM says nothing of the kernel."""
        if refusal == 0:
            return Answer(State.YES)
        if refusal in {errno.EPERM, errno.EACCES} and self._rights.state is not State.YES:
            return ASK_AS_ROOT if self._rights.state is State.UNKNOWN else ASK_LATER
        if refusal == errno.ENOENT:
            return Answer(State.NO, "the kernel has no such hook")
        return Answer(State.NO, f"the kernel says: {os.strerror(refusal)}")

    def _loads(self, hook: Hook) -> Answer:
        return self._asked(libbpf.try_program(hook.program_type, hook.attach_type))

    @cached_property
    def _types(self) -> bytes:
        return loader.kernel_types()

    @cached_property
    def _missing(self) -> list[Missing]:
        wanted = (loader.probes() / "types.toml").read_text("utf-8")
        return missing(wanted, Btf(self._types), where="probes/types.toml")

    def _members(self, *, optional: bool) -> Answer:
        absent = [
            f"{gone}, for lack of {gone.wish.why}" if optional else str(gone)
            for gone in self._missing
            if bool(gone.wish.stand_in) is optional
        ]
        return Answer(State.NO, "; ".join(absent)) if absent else Answer(State.YES)

    def _tracepoints(self, *, required: bool) -> Answer:
        """Look for the types of the tracepoints, which need neither tracefs nor root."""
        names = [
            one.function
            for one in PROGRAMS
            if one.hook is Hook.RAW_TRACEPOINT and one.required is required
        ]
        # include/trace/bpf_probe.h: typedef void (*btf_trace_<name>)
        gone = [name for name in names if f"\0btf_trace_{name}\0".encode() not in self._types]
        return Answer(State.NO, f"there is no {', '.join(gone)}") if gone else Answer(State.YES)

    def _raw_tracepoint(self) -> Answer:
        there = self._tracepoints(required=True)
        return self._loads(Hook.RAW_TRACEPOINT) if there.state is State.YES else there

    def _lockdown(self) -> Answer:
        """Try what lockdown forbids; the mode's name alone would be no proof."""
        loads = self._loads(Hook.RAW_TRACEPOINT)
        if loads.state is not State.YES:
            return loads if loads.state is State.UNKNOWN else ASK_LATER
        refused = libbpf.try_program(Hook.RAW_TRACEPOINT.program_type, reads_kernel=True)
        mode = f"mode {features.lockdown(_ROOT) or 'not shown'}"
        return Answer(State.NO if refused else State.YES, mode)

    def _sock_addr(self) -> Answer:
        hooks = (Hook.CONNECT4, Hook.CONNECT6, Hook.SENDMSG4, Hook.SENDMSG6)
        answers = {hook.name.lower(): self._loads(hook) for hook in hooks}
        refused = [f"{name}: {a.detail}" for name, a in answers.items() if a.state is State.NO]
        if refused:
            return Answer(State.NO, "; ".join(refused))
        return answers["connect4"]

    def _lsm(self) -> Answer:
        """Ask twice: a program that loads never runs unless bpf is an active security module."""
        loads = self._asked(libbpf.try_program(_LSM, _LSM_MAC, function="bprm_check_security"))
        if loads.state is not State.YES:
            return loads
        active = features.active_lsms(_ROOT)
        if active is None:
            return Answer(State.UNKNOWN, "LSM programs load; which modules are active is not shown",
                          "run mount -t securityfs securityfs /sys/kernel/security")  # fmt: skip
        if "bpf" in active:
            return Answer(State.YES, "as far as the kernel says; a denied exec is the only proof")
        others = [name for name in active if name != "capability"]
        return Answer(
            State.NO, "LSM programs load, and never run",
            f"Add lsm={','.join([*others, 'bpf'])} to the kernel's command line",
        )  # fmt: skip

    def _fentry(self) -> Answer:
        return self._asked(
            libbpf.try_program(_TRACING, _TRACE_FENTRY, function=_HARMLESS, attach=True)
        )


def _libbpf() -> Answer:
    try:
        return Answer(State.YES, libbpf.version())
    except UnsupportedError:
        return Answer(State.NO)


def _btf() -> Answer:
    return Answer(State.YES if loader.BTF.exists() else State.NO)


def _cgroup2() -> Answer:
    try:
        place = mounts.cgroup2()
    except UnsupportedError:
        return Answer(State.NO)
    return Answer(State.YES, f"{features.hierarchy(_ROOT)}, at {quote(str(place))}")


def _bpffs() -> Answer:
    try:
        return Answer(State.YES, quote(str(mounts.bpffs())))
    except UnsupportedError:
        return Answer(State.NO)
