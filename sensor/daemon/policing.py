# SPDX-License-Identifier: Apache-2.0
"""Policy as the daemon has it: from its file and the blocks of responders to what is in force.

A file that is no policy leaves the one before in force, in the kernel and here.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sensor.core import blocks as kept
from sensor.core.blocks import Blocks
from sensor.core.bulletin import changed
from sensor.core.facts import Standing
from sensor.core.former import former_of, noted, text_of
from sensor.core.policy.model import Mode
from sensor.core.policy.text import with_blocks
from sensor.daemon.cradles import Cradles
from sensor.daemon.enforcing import WAYS
from sensor.daemon.policy_file import PolicyFile
from sensor.daemon.standby import IN_FORCE, KEPT
from sensor.edge import guarded
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sensor.core.catalogue import Catalogue
    from sensor.core.policy.model import Policy, RuntimeBlock
    from sensor.daemon.enforcing import Enforcing
    from sensor.daemon.proving import Proving
    from sensor.daemon.sensing import Sensing
    from sensor.daemon.sweeping import Sweeping

_NS_PER_S = 1_000_000_000

DETACHED = "the probes are detached"

_LAPSED = timedelta(seconds=1)
"""After its end an exception is over in the kernel too, whose clock was read earlier."""


class Policing:
    """Reads, applies and applies anew. ``see`` takes facts for the stream."""

    def __init__(
        self, path: Path, catalogue: Catalogue, enforcing: Enforcing, proving: Proving, *,
        state_dir: Path, may_be_missing: bool, sensing: Sensing, sweeping: Sweeping,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._file = PolicyFile(path, may_be_missing=may_be_missing)
        self._catalogue = catalogue
        self._kept, self._in_force = state_dir / KEPT, state_dir / IN_FORCE
        self._sensing = sensing
        self.enforcing = enforcing
        self._sweeping = sweeping
        self.cradles = Cradles(enforcing.cradles, now_s)
        self._lapses: datetime | None = None
        self.proving = proving
        self._lost = ""
        self.blocks = self._read_blocks()

    def lose(self, why: str) -> None:
        """Change nothing any more: there are no probes that could go by it."""
        self._lost = why
        self.proving.lose(DETACHED)

    def begin(self) -> None:
        """Put policy in force. Raises SensorError where there is none to be had."""
        with suppress(SensorError):  # what the kernel went by until now is said by `-` then
            former = former_of(guarded.read(self._in_force))
            if (former.seed, former.generation) == self.enforcing.in_kernel:
                self._sensing.engine.remember(former)
        self._apply(self._file.read(self._catalogue), self.blocks)

    def reload(self) -> dict[str, object]:
        """Read the file again. Raises SensorError where it is no policy: the one before stays."""
        self._reread()
        return self.state()

    def _reread(self) -> None:
        try:
            self._change(lambda: (self._file.read(self._catalogue), self.blocks))
        except SensorError as problem:
            self._file.refused = "" if self._lost else str(problem)
            raise
        self._file.refused = ""

    def learn(self, catalogue: Catalogue) -> None:
        """Go by another catalogue, if the policy can be had with it: else nothing changes."""
        before, self._catalogue = self._catalogue, catalogue
        try:
            self._reread()
        except SensorError:
            self._catalogue = before
            raise

    def block_add(self, asked: Mapping[str, object], *, by: str = "") -> dict[str, object]:
        """Block something from now on; ``remark`` says how far that does not hold."""
        added, block = self.blocks.tidied(_now()).add(asked, _now())
        for session in kept.sessions_of(block):
            if not self._sensing.engine.runs(session):
                raise BadInputError(
                    f"block add: no session {session} is running; sessions --running lists those"
                    " that are"
                )
        self._change(lambda: (self._policy, added), by=by)
        said = kept.as_dict(block)
        if remarks := "; ".join(dict.fromkeys(self._remarks(block))):
            said["remark"] = remarks
        return said

    def _remarks(self, block: RuntimeBlock) -> Iterator[str]:
        enforced, whom = self.enforcing.in_force, self.enforcing.whom
        if enforced and enforced.policy.mode is not Mode.ENFORCE:
            yield f"the policy's mode is {enforced.policy.mode.value}: nothing is refused"
        for user in block.users:
            if not user.isdigit() and user not in whom.known.users:
                yield whom.why or (
                    f"this host has no user {user!a}, so the block means nobody by that name"
                )

    def block_remove(self, block_id: str, *, by: str = "") -> dict[str, object]:
        """Block something no longer."""
        left = self.blocks.remove(block_id)
        self._change(lambda: (self._policy, left), by=by)
        return {"removed": block_id}

    def block_list(self) -> dict[str, object]:
        """Give the blocks that have not ended."""
        return {"blocks": [kept.as_dict(block) for block in self.blocks.tidied(_now()).blocks]}

    def turn(self) -> None:
        """Prove, where that is due, and see what has ended or come since."""
        if self._lost:
            return
        self._sweep_new()
        self._follow()
        self._lapse()
        is_due = self.proving.turn()
        tidied = self.blocks.tidied(_now())
        if is_due:
            self.enforcing.mend()
        is_due = is_due or self.enforcing.whom.is_due()
        if tidied != self.blocks or (is_due and self.enforcing.is_stale()):
            try:
                self._change(lambda: (self._policy, tidied))
            except SensorError:  # which is on the stream; the kernel's own ends hold all the same
                self.blocks = tidied

    def _follow(self) -> None:
        """Put policy in force anew where a cgroup that it names has come or gone.

        Whom it names is not looked up for that: whoever may make cgroups would hold us up.
        """
        if self.cradles.have_heard() and self.enforcing.has_moved():
            self.cradles.rest()
            with suppress(SensorError):  # which is on the stream
                self._change(lambda: (self._policy, self.blocks), asks=False)

    def _lapse(self) -> None:
        """Have judged what an exception let run and open, once it has ended."""
        if self._lapses is None or _now() < self._lapses + _LAPSED:
            return
        self._lapses = self._policy.exception_ends(after=self._lapses)
        for action in self._sensing.engine.judge(at_ns=_now_ns()):
            self._sensing.do(action)
        self._sweep()

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: for ever."""
        if self._lost:
            return None
        parts = self.proving, self.enforcing.whom, self.cradles
        waits = [wait for part in parts if (wait := part.timeout()) is not None]
        if self._lapses:
            waits.append(max(0.0, (self._lapses + _LAPSED - _now()).total_seconds()))
        if end := self.blocks.ends():
            waits.append(max(0.0, (end - _now()).total_seconds()))
        return min(waits, default=None)

    def problems(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        return [*self._file.problems(), *self.cradles.problems()]

    def close(self) -> None:
        """Watch nothing any more."""
        self.cradles.close()

    def ways(self) -> dict[str, str]:
        """Say how what is refused: by nothing, where there are no probes any more."""
        return dict.fromkeys(WAYS, "none") if self._lost else self.enforcing.ways()

    def state(self) -> dict[str, object]:
        """Return what ``status`` says of policy."""
        enforced = self.enforcing.in_force
        if enforced is None:
            return {"file": str(self._file), "generation": 0}
        return {
            "file": str(self._file),
            "generation": enforced.generation,
            "rules": enforced.policy.own_rules,
            "blocks": enforced.policy.blocks,
            "since": datetime.fromtimestamp(
                self.enforcing.since_wall_ns // _NS_PER_S, UTC
            ).isoformat().replace("+00:00", "Z"),
        }  # fmt: skip

    def _change(
        self, wanted: Callable[[], tuple[Policy, Blocks]], *, asks: bool = True, by: str = ""
    ) -> None:
        """Apply what is wanted now; tell why it cannot be, and that the one before stays."""
        if self._lost:
            raise SensorError(self._lost)
        try:
            self._apply(*wanted(), asks=asks, by=by)
        except SensorError as problem:
            enforced = self.enforcing.in_force
            self._sensing.see(changed(enforced, Standing.KEPT, _now_ns(), why=str(problem)))
            raise

    def _apply(self, policy: Policy, blocks: Blocks, *, asks: bool = True, by: str = "") -> None:
        at = _now()
        now = blocks.tidied(at)
        trail = kept.trail(self.blocks, now, at, by=by)
        catalogue = kept.with_sessions(self._catalogue, now.sessions())
        whole = with_blocks(policy, now.blocks, catalogue)
        is_enforced = whole.mode is Mode.ENFORCE
        cgroup = self.proving.settle() if is_enforced else None
        if now != self.blocks:
            guarded.write(self._kept, kept.text_of(now))
        try:
            enforced = self.enforcing.apply(
                whole, catalogue, source=str(self._file), canary_cgroup=cgroup, asks=asks
            )
        except SensorError:
            if now != self.blocks:
                guarded.write(self._kept, kept.text_of(self.blocks))
            raise
        self._policy, self.blocks, self._known = policy, now, catalogue
        with suppress(SensorError):  # no room: a later run says `-`, where this one had a rule
            text = text_of(noted(enforced, self.enforcing.in_kernel[0]))
            guarded.write(self._in_force, text, over_reboot=False)
        self._lapses = policy.exception_ends(after=_now())
        self.enclose()
        for action in self._sensing.engine.policy(enforced, at_ns=_now_ns(), why=trail):
            self._sensing.do(action)
        self._sweep()
        self.cradles.watch()
        if is_enforced:
            self.proving.begin()
        else:
            self.proving.end()

    def take_up(self) -> None:
        """Do by what is in force with the sessions that were found since."""
        self.enclose()
        self._sweep()

    def _sweep(self) -> None:
        """Have judged what sessions have open: whoever is connected passes no hook any more."""
        enforced = self.enforcing.in_force
        if enforced and enforced.policy.mode is Mode.ENFORCE:
            members = dict(self._sensing.probing.members.all())
            self._sweeping.begin(members, afresh=True)

    def _sweep_new(self) -> None:
        found, enforced = self._sensing.taken_in(), self.enforcing.in_force
        if found and enforced and enforced.policy.mode is Mode.ENFORCE:
            self._sweeping.begin(found)
        self._sweeping.turn()

    def enclose(self) -> None:
        """Have the engine know which sessions are blocked; once more when it has found them."""
        for action in self._sensing.engine.cordon(self._known):
            self._sensing.do(action)

    def _read_blocks(self) -> Blocks:
        if not self._kept.exists():
            return Blocks()
        return kept.blocks_of(guarded.read(self._kept), where=str(self._kept))


def _now() -> datetime:
    return datetime.now(UTC)


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
