# SPDX-License-Identifier: Apache-2.0
"""C structs by their members, without padding: the one way both sides agree."""

from __future__ import annotations

import struct


class Layout:
    """A C struct: ``Layout("Q at_ns", "I pid")``, codes as in :mod:`struct`, in the C order."""

    def __init__(self, *members: str) -> None:
        self.codes, self.names = zip(*(member.split() for member in members), strict=True)
        self.struct = struct.Struct("=" + "".join(self.codes))
        self.size = self.struct.size
        self.unpack = self.struct.unpack_from
        self.pack = self.struct.pack

    def offsets(self) -> dict[str, int]:
        """Give the offset of each member in bytes."""
        before = ("=" + "".join(self.codes[:i]) for i in range(len(self.codes)))
        return dict(zip(self.names, map(struct.calcsize, before), strict=True))
