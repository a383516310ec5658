# SPDX-License-Identifier: Apache-2.0
"""The hub: readers' connections, on which they get events, past and present.

It lives in the daemon's loop and never blocks it. What is published goes to
memory; ``turn`` hands it on in large pieces, with a bound on what one turn may
cost. What is said is the business of ``wire.conversation``; here bytes move.
"""

from __future__ import annotations

import contextlib
import selectors
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from sensor.core.admission import Limits, why_not
from sensor.core.recent import Recent
from sensor.errors import SensorError
from sensor.wire import answers
from sensor.wire.conversation import Conversation, Pages
from sensor.wire.requests import LARGEST_REQUEST_BYTES
from sensor.wire.sources import Sources

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from sensor.core.subscription import Past
    from sensor.wire.answers import Hello
    from sensor.wire.frame import Frame
    from sensor.wire.sources import Clock, Daemon

_RECEIVE_BYTES = 64 * 1024
_NS_PER_S = 1_000_000_000
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Door(Protocol):
    """Where readers come in."""

    def fileno(self) -> int:
        """Return what becomes readable when someone comes."""

    def accept(self) -> tuple[socket.socket, int, int, bool] | None:
        """Return the next peer: its socket, pid, uid, and whether it may read; None for none."""

    def close(self) -> None:
        """Let nobody in any more."""


class _Peer:
    """One connection: its socket, whose it is, and what the socket did not take yet."""

    __slots__ = (
        "conversation", "events", "is_full", "out",
        "patience_s", "pid", "since_ns", "socket", "uid",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, pid: int, uid: int, conversation: Conversation) -> None:
        self.socket = sock
        self.pid = pid
        self.uid = uid
        self.conversation = conversation
        self.out = memoryview(b"")
        self.is_full = False
        self.events = 0
        self.since_ns = 0
        self.patience_s: float | None = None


class Hub:
    """Serves the stream to whom the door lets in; root may also control.

    ``hello`` says whose stream this is; ``seq`` in it is the newest there is.
    """

    def __init__(
        self,
        door: Door,
        *,
        hello: Hello,
        past: Past,
        daemon: Daemon,
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._door = door
        self._hello = hello
        self._limits = limits or Limits()
        self._clock = clock
        recent = Recent(limit_bytes=self._limits.recent_bytes, last=hello.seq)
        self._sources = Sources(recent=recent, past=past, daemon=daemon, clock=clock)
        self._peers: deque[_Peer] = deque()
        self._pages = Pages(0)
        self._is_busy = False
        self._deaf_until_ns: int | None = None
        self._refused = self._skipped = 0
        self._selector: selectors.BaseSelector

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch our sockets; each key's ``data`` is to be called with its mask.

        Comes before all else.
        """
        self._selector = selector
        selector.register(self._door, _READ, self._accept)

    def publish(self, frames: Iterable[Frame]) -> None:
        """Take the next events, in order; ``turn`` sends them."""
        add = self._sources.recent.add
        for seq, at_ns, traits, body in frames:
            add(seq, at_ns, traits, answers.told(body))

    def turn(self) -> None:
        """Hand on what there is to those who can take it; call it once in each turn of the loop."""
        now_ns = self._clock.now_ns()
        self._pages.left = self._limits.pages_per_turn
        self._is_busy = False
        if self._deaf_until_ns is not None and now_ns >= self._deaf_until_ns:
            self._deaf_until_ns = None
            self._selector.register(self._door, _READ, self._accept)
        self._peers.rotate(-1)  # whoever was first is last: pages are for all
        for peer in list(self._peers):
            peer.conversation.tick(now_ns)
            if _is_overdue(peer, now_ns):
                self._dismiss(peer)
            elif not peer.is_full:
                self._pump(peer)

    def timeout(self) -> float | None:
        """Return for how many seconds the loop may sleep with no socket ready; None: for ever."""
        if self._is_busy:
            return 0
        now_ns = self._clock.now_ns()
        waits = [] if self._deaf_until_ns is None else [(self._deaf_until_ns - now_ns) / _NS_PER_S]
        for peer in self._peers:
            if peer.patience_s is not None:
                waits.append(peer.patience_s - (now_ns - peer.since_ns) / _NS_PER_S)
            if peer.conversation.ends_at_ns is not None:
                waits.append((peer.conversation.ends_at_ns - now_ns) / _NS_PER_S)
            if peer.conversation.waits_for_store:
                waits.append(self._limits.store_s)
        return max(0, min(waits)) if waits else None

    def state(self) -> dict[str, object]:
        """Return what ``status`` says of the hub."""
        return {
            "readers": [
                {"pid": peer.pid, "uid": peer.uid, "skipped": peer.conversation.skipped}
                for peer in self._peers
            ],
            "refused": self._refused,
            "skipped": self._skipped + sum(peer.conversation.skipped for peer in self._peers),
            "recent_bytes": self._sources.recent.kept_bytes,
            "recent_first": self._sources.recent.first,
            "seq": self._sources.recent.last,
        }

    def load(self) -> tuple[int, int]:
        """Count the readers there are, and the events that slow ones did not get."""
        skipped = sum(peer.conversation.skipped for peer in self._peers)
        return len(self._peers), self._skipped + skipped

    def close(self) -> None:
        """End all connections and take the socket away."""
        for peer in list(self._peers):
            self._drop(peer)
        if self._deaf_until_ns is None:
            self._selector.unregister(self._door)
        self._door.close()

    def _accept(self, _mask: int) -> None:
        for _ in range(self._limits.accepts_per_turn):
            try:
                caller = self._door.accept()
            except SensorError:  # no file descriptor for it: it waits in the kernel's queue
                wait_ns = int(self._limits.deaf_s * _NS_PER_S)
                self._deaf_until_ns = self._clock.now_ns() + wait_ns
                self._selector.unregister(self._door)
                return
            if caller is None:
                return
            self._welcome(*caller)

    def _welcome(self, sock: socket.socket, pid: int, uid: int, may_read: bool) -> None:  # noqa: FBT001  # as the door says it
        """Take a peer that may read and for whom there is room; tell the others why not."""
        uids = [peer.uid for peer in self._peers]
        problem = why_not(uid, may_read=may_read, uids=uids, limits=self._limits)
        if problem is not None:
            self._refused += 1
            with contextlib.suppress(OSError):
                sock.send(answers.refused(problem))
            sock.close()
            return
        peer = _Peer(sock, pid, uid, Conversation(self._sources, may_control=uid == 0, pid=pid))
        said = replace(self._hello, seq=self._sources.recent.last)
        peer.out = memoryview(answers.hello(said))
        self._peers.append(peer)
        self._pump(peer)

    def _serve(self, peer: _Peer, mask: int) -> None:
        """Take note of what a socket can do now; ``turn`` does the rest, for each its share."""
        peer.is_full = False
        if mask & _READ and not self._receive(peer):
            self._drop(peer)

    def _receive(self, peer: _Peer) -> bool:
        """Take what the peer sent, unless it has sent enough; False when it is gone."""
        if peer.conversation.half_bytes > LARGEST_REQUEST_BYTES:
            return True  # whole requests, which come first
        try:
            piece = peer.socket.recv(_RECEIVE_BYTES)
        except OSError as problem:
            return isinstance(problem, BlockingIOError)
        peer.conversation.receive(piece)
        return bool(piece)

    def _pump(self, peer: _Peer) -> None:
        """Send to a peer until it has all, takes no more, or has had its share of this turn."""
        for _ in range(self._limits.chunks_per_turn):
            if not peer.out and not self._fill(peer):
                break
            try:
                peer.out = peer.out[peer.socket.send(peer.out) :]
            except BlockingIOError:
                peer.is_full = True
            except OSError:
                self._drop(peer)
                return
            if peer.is_full:
                break
        else:
            self._is_busy = True
        if peer.conversation.over and not peer.out:
            self._drop(peer)
        else:
            self._watch(peer)

    def _fill(self, peer: _Peer) -> bool:
        """Have the next bytes for a peer at hand; False where there are none in this turn."""
        peer.out = memoryview(peer.conversation.produce(self._pages))
        if peer.out:
            peer.since_ns = self._clock.now_ns()
            return True
        self._is_busy |= peer.conversation.waits_for_page
        return False

    def _watch(self, peer: _Peer) -> None:
        """Wait for what the peer's state asks for: room for more bytes, or a request."""
        events = _WRITE if peer.is_full else _READ
        if events != peer.events:
            if peer.events:
                self._selector.modify(peer.socket, events, partial(self._serve, peer))
            else:
                self._selector.register(peer.socket, events, partial(self._serve, peer))
            peer.events = events
        patience_s = self._patience_s(peer.conversation)
        if patience_s != peer.patience_s:
            peer.patience_s = patience_s
            peer.since_ns = self._clock.now_ns()

    def _patience_s(self, conversation: Conversation) -> float | None:
        if conversation.over or conversation.half_bytes:
            return self._limits.half_s
        return None if conversation.is_asked else self._limits.idle_s

    def _dismiss(self, peer: _Peer) -> None:
        """Tell a peer that it took too long, if it listens, and drop it."""
        waited = f"{peer.patience_s:.0f} s without a whole request"
        with contextlib.suppress(OSError):
            if not peer.out:
                peer.socket.send(answers.refused(SensorError(f"{waited}: connect again")))
        self._drop(peer)

    def _drop(self, peer: _Peer) -> None:
        self._peers.remove(peer)
        self._skipped += peer.conversation.skipped
        if peer.events:
            self._selector.unregister(peer.socket)
        peer.socket.close()


def _is_overdue(peer: _Peer, now_ns: int) -> bool:
    waited_s = (now_ns - peer.since_ns) / _NS_PER_S
    return peer.patience_s is not None and waited_s >= peer.patience_s
