# SPDX-License-Identifier: Apache-2.0
"""The ring buffer of libbpf, from the consumer's side."""

from __future__ import annotations

import ctypes
import errno
import mmap
import sys
from typing import TYPE_CHECKING

from sensor.edge.libbpf import SAMPLE, check, library

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.edge.libbpf import Map

_POSITION_BYTES = 8


class Ring:
    """The consumer's end of a ring buffer.

    ``take`` gets each record as bytes. It runs inside libbpf: what it raises
    is kept and raised again by :meth:`consume`, which takes ``most`` records at
    a time, so that a flood does not keep the caller from all else; what a turn
    of the loop makes of them is in memory at once.
    """

    def __init__(self, ring: Map, take: Callable[[bytes], None], *, most: int = 1024) -> None:
        self._kept = ring  # epoll(7) knows it by its descriptor
        self._problem: BaseException | None = None
        self._most = self._left = most
        string_at = ctypes.string_at

        def sample(_context: int, start: int, size: int) -> int:
            try:
                take(string_at(start, size))
            except BaseException as problem:  # noqa: BLE001  # must not unwind through C
                self._problem = problem
                return -errno.ECANCELED
            self._left -= 1
            return 0 if self._left else -errno.EAGAIN

        self._sample = SAMPLE(sample)  # kept: libbpf calls it later
        made = library().ring_buffer__new(ring.fd, self._sample, None, None)
        if not made:
            check(-1, "cannot map the ring buffer")
        self._ring = made
        # kernel/bpf/ringbuf.c: how far is read, and how far is reserved, a page each.
        self._read, self._reserved = (
            mmap.mmap(ring.fd, mmap.PAGESIZE, prot=mmap.PROT_READ, offset=page * mmap.PAGESIZE)
            for page in range(2)
        )

    def is_drained(self) -> bool:
        """Tell whether nothing is left: a record that is being written holds up those behind it."""
        return self.has_read(self.reserved())

    def reserved(self) -> int:
        """Give the position up to which records are written, or are being written."""
        return _position(self._reserved)

    def has_read(self, position: int) -> bool:
        """Tell whether nothing is left before a position."""
        return _position(self._read) >= position

    def fileno(self) -> int:
        """Give the descriptor that is readable when records wait."""
        return int(library().ring_buffer__epoll_fd(self._ring))

    def consume(self) -> int:
        """Hand records that wait to ``take``. Returns how many there were; ``most``: and more."""
        self._left = self._most
        count = library().ring_buffer__consume(self._ring)
        if not self._left:
            return self._most
        if self._problem:
            problem, self._problem = self._problem, None
            raise problem
        return check(count, "cannot read the ring buffer")

    def close(self) -> None:
        """Unmap the ring buffer; records that wait are lost."""
        if self._ring:
            library().ring_buffer__free(self._ring)
            self._ring = None
            self._read.close()
            self._reserved.close()


def _position(page: mmap.mmap) -> int:
    return int.from_bytes(page[:_POSITION_BYTES], sys.byteorder)
