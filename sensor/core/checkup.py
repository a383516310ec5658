# SPDX-License-Identifier: Apache-2.0
"""What the sensor asks of a host, what each feature is good for, and what its absence costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sensor.core.features import FEATURES, RUN_NEEDS, Feature, Need
from sensor.errors import ExitCode


class State(Enum):
    """What came of a question; UNKNOWN where it could not be asked."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """A state, the particulars of this host, and a remedy that fits better than the feature's.

    Of what is UNKNOWN, ``detail`` says why.
    """

    state: State
    detail: str | None = None
    remedy: str | None = None


ASK_AS_ROOT = Answer(State.UNKNOWN, "needs root", "run sudo agent-sensor doctor")
ASK_LATER = Answer(State.UNKNOWN, "cannot be asked without what is missing above")


class Verdict(Enum):
    """What all answers come to for ``watch``, and the exit code that says it."""

    READY = "ready"
    UNSURE = "unsure"
    DEGRADED = "degraded"
    UNSUPPORTED = "unsupported"

    @property
    def exit_code(self) -> ExitCode:
        """Fail on what is known to be missing; not to know is no failure."""
        match self:
            case Verdict.UNSUPPORTED:
                return ExitCode.UNSUPPORTED
            case Verdict.DEGRADED:
                return ExitCode.DEGRADED
            case _:
                return ExitCode.OK


_MARKS = {State.YES: "yes", State.NO: "no", State.UNKNOWN: "?"}
_MARK_COLUMNS = max(map(len, _MARKS.values()))
_NAME_COLUMNS = max(len(feature.name) for feature in FEATURES)


@dataclass(frozen=True, slots=True)
class Finding:
    """A feature and what this host answered."""

    feature: Feature
    answer: Answer

    @property
    def remedy(self) -> str | None:
        """What to do about it; None where nothing has to be done or can be."""
        if self.answer.state is State.NO:
            return self.answer.remedy or self.feature.remedy
        return self.answer.remedy

    @property
    def line(self) -> str:
        """Say it on one line, the state first."""
        mark = _MARKS[self.answer.state].ljust(_MARK_COLUMNS)
        return f"{mark}  {self.feature.name.ljust(_NAME_COLUMNS)}  {self._text()}"

    def _text(self) -> str:
        detail = self.answer.detail
        if self.answer.state is State.UNKNOWN:
            return ": ".join(filter(None, (detail, self.remedy)))
        said = self.feature.serves if self.answer.state is State.YES else self.feature.cost
        text = f"{said} ({detail})" if detail else said
        return f"{text}. {self.remedy}" if self.remedy else text

    def as_dict(self) -> dict[str, str | None]:
        """Give the same as plain values: absent is None."""
        return {
            "id": self.feature.id,
            "name": self.feature.name,
            "state": self.answer.state.value,
            "need": self.feature.need.value,
            "serves": self.feature.serves,
            "cost": self.feature.cost,
            "remedy": self.remedy,
            "detail": self.answer.detail,
        }


@dataclass(frozen=True, slots=True)
class Checkup:
    """All findings on one host. The kernel's release is told, never compared."""

    release: str
    machine: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """What is known to be missing counts first, then what is not known."""
        if self._names(State.NO, Need.REQUIRED):
            return Verdict.UNSUPPORTED
        if self._names(State.NO, Need.OPTIONAL):
            return Verdict.DEGRADED
        if self._names(State.UNKNOWN, Need.REQUIRED, Need.OPTIONAL):
            return Verdict.UNSURE
        return Verdict.READY

    @property
    def summary(self) -> str:
        """Say the verdict in one sentence that names what it rests on, and what keeps ``run``."""
        gone = [
            finding.feature.name
            for finding in self.findings
            if finding.answer.state is State.NO and finding.feature.id in RUN_NEEDS
        ]
        if gone and self.verdict is not Verdict.UNSUPPORTED:
            return f"{self._for_watch}; run cannot, without {', '.join(gone)}"
        return self._for_watch

    @property
    def _for_watch(self) -> str:
        match self.verdict:
            case Verdict.UNSUPPORTED:
                absent = self._names(State.NO, Need.REQUIRED)
                return f"unsupported: watch cannot run here without {', '.join(absent)}"
            case Verdict.DEGRADED:
                absent = self._names(State.NO, Need.OPTIONAL)
                return f"degraded: watch can run here, without {', '.join(absent)}"
            case Verdict.UNSURE:
                unasked = self._names(State.UNKNOWN, Need.REQUIRED, Need.OPTIONAL)
                return (
                    "unsure: nothing that watch uses is known to be missing;"
                    f" not looked at: {', '.join(unasked)}"
                )
            case _:
                return "ready: watch can run here, with everything that it uses"

    @property
    def lines(self) -> list[str]:
        """Give the kernel, a line a feature, and the verdict."""
        told = [finding.line for finding in self.findings]
        return [f"kernel {self.release} {self.machine}", *told, self.summary]

    def as_dict(self) -> dict[str, object]:
        """Give the same as plain values, for JSON."""
        return {
            "kernel": {"release": self.release, "machine": self.machine},
            "verdict": self.verdict.value,
            "summary": self.summary,
            "features": [finding.as_dict() for finding in self.findings],
        }

    def _names(self, state: State, *needs: Need) -> list[str]:
        return [
            finding.feature.name
            for finding in self.findings
            if finding.answer.state is state and finding.feature.need in needs
        ]
