# SPDX-License-Identifier: Apache-2.0
"""The rights of this process: what it holds, and giving up what it no longer needs.

Capabilities belong to threads, not to processes (capabilities(7)); the kernel
changes those of the caller alone. So rights are given up while there is one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.errors import NotPermittedError, SensorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.rights import Capability

# include/uapi/linux/prctl.h
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
# include/uapi/linux/capability.h: _LINUX_CAPABILITY_VERSION_3, two words of 32 bits each
_VERSION_3 = 0x20080522
_WORD_BITS = 32
_STATUS = Path("/proc/thread-self/status")
_TASKS = Path("/proc/self/task")


class _Header(ctypes.Structure):
    """``struct __user_cap_header_struct``; pid 0 is the calling thread."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Word(ctypes.Structure):
    """``struct __user_cap_data_struct``: 32 of the bits of each set."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """The sets of the calling thread, as numbers: also capabilities that have no name here."""

    effective: frozenset[int]
    permitted: frozenset[int]
    inheritable: frozenset[int]
    bounding: frozenset[int]
    ambient: frozenset[int]
    no_new_privs: bool


def held() -> Held:
    """Read what the calling thread may do, and what it can ever get."""
    status = _STATUS.read_text("ascii", "replace")
    fields = dict(re.findall(r"^(\w+):\t(.*)$", status, re.MULTILINE))
    return Held(
        effective=_bits(fields["CapEff"]),
        permitted=_bits(fields["CapPrm"]),
        inheritable=_bits(fields["CapInh"]),
        bounding=_bits(fields["CapBnd"]),
        ambient=_bits(fields["CapAmb"]),
        no_new_privs=fields["NoNewPrivs"] == "1",
    )


def _bits(mask: str) -> frozenset[int]:
    number = int(mask, 16)
    return frozenset(bit for bit in range(number.bit_length()) if number >> bit & 1)


def keep(wanted: frozenset[Capability]) -> None:
    """Give up every capability but these, here and in all programs started later, for good.

    Of ``wanted`` what is not there now is not there afterwards either: see
    :func:`held`. Raises NotPermittedError where the bounding set cannot be cut
    (that takes CAP_SETPCAP), SensorError in a process with several threads,
    since the others would keep what they have.
    """
    _see_that_it_is_alone()
    libc = ctypes.CDLL(None, use_errno=True)
    for bit in held().bounding - wanted:
        _prctl(libc, _PR_CAPBSET_DROP, bit)
    _give_up(libc, wanted)


def keep_here(wanted: frozenset[Capability]) -> None:
    """Give up every capability but these in this process, which starts no other.

    Takes no right. What it started would have those of the bounding set again.
    Raises SensorError in a process with several threads.
    """
    _see_that_it_is_alone()
    _give_up(ctypes.CDLL(None, use_errno=True), wanted)


def _see_that_it_is_alone() -> None:
    if (threads := len(list(_TASKS.iterdir()))) > 1:
        raise SensorError(
            f"rights belong to threads, and there are {threads}: give them up before starting any"
        )


def _give_up(libc: ctypes.CDLL, wanted: frozenset[Capability]) -> None:
    _prctl(libc, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    _set(libc, held().permitted & wanted)


def give_up() -> None:
    """Give up all that this process holds; with ``no_new_privs`` no execution gives it back."""
    _set(ctypes.CDLL(None, use_errno=True), ())


def _prctl(libc: ctypes.CDLL, option: int, argument: int) -> None:
    zero = ctypes.c_ulong(0)
    _check(libc.prctl(option, ctypes.c_ulong(argument), zero, zero, zero))


def _set(libc: ctypes.CDLL, kept: Iterable[int]) -> None:
    """Make these the effective and permitted ones; nothing is inherited."""
    words = (_Word * 2)()
    for bit in kept:
        word = words[bit // _WORD_BITS]
        word.effective |= 1 << bit % _WORD_BITS
        word.permitted |= 1 << bit % _WORD_BITS
    _check(libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), words))


def _check(result: int) -> None:
    if result == 0:
        return
    number = ctypes.get_errno()
    message = f"cannot give up rights: {os.strerror(number)}"
    if number == errno.EPERM:
        raise NotPermittedError(f"{message}; start with CAP_SETPCAP, or as root")
    raise SensorError(message)
