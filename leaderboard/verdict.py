"""What a comparison of two runs comes to: its verdict, the alarms behind it, and what could not be said.

Plain values and the order of verdicts. Must not know how alarms are found (`leaderboard.compare`), nor how they are
shown (`leaderboard.report`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from leaderboard.costs import Change
from leaderboard.shifts import Finding
from leaderboard.sides import Standing
from leaderboard.trace import Moved, Stage


class Verdict(StrEnum):
    """What a night comes to. `EXIT` says what a command exits with."""

    FINE = "fine"
    BETTER = "better"
    WORSE = "worse"
    SLOWER = "slower"
    TOO_LITTLE = "measured too little to say"
    COULD_NOT_RUN = "could not run"


EXIT: Mapping[Verdict, int] = {
    Verdict.FINE: 0,
    Verdict.BETTER: 10,
    Verdict.WORSE: 11,
    Verdict.SLOWER: 12,
    Verdict.TOO_LITTLE: 13,
    Verdict.COULD_NOT_RUN: 14,
}


class Kind(StrEnum):
    """What an alarm is about."""

    SCORE = "score"
    EVALUATION = "evaluation"
    LOSS = "training loss"
    PARAMETERS = "parameters"
    OUTCOME = "outcome"
    COST = "cost"


@dataclass(frozen=True)
class Alarm:
    """A change worth a person's time. `scope` is a cell's key or a part of the grid, `worse` its direction."""

    kind: Kind
    scope: str
    worse: bool
    says: str


@dataclass(frozen=True)
class CellView:
    """One cell in both runs. `finding` is its shift in points and `loss` the fall of its training loss.

    `same` says that the answers are the same to the last one, `judged` that its score could be compared at all.
    """

    key: str
    base: Standing
    head: Standing
    base_score: float | None
    head_score: float | None
    same: bool
    judged: bool
    moved: Moved | None = None
    finding: Finding | None = None
    loss: Finding | None = None


@dataclass(frozen=True)
class Cause:
    """Where most of the alarmed cells moved first: so many of so many of them.

    `what` is in the words of `cell`, which `alike` of them share; None where no cell has words of its own. `others`
    counts the rest, by stage.
    """

    stage: Stage
    cells: int
    of: int
    what: str
    sure: bool
    cell: str | None = None
    alike: int = 0
    others: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Since:
    """The last night without an alarm of tonight's and the first of `nights` with one, and what differs between them.

    `last_good` may be the base. `environment` are packages, revisions and commits, in words.
    """

    last_good: str
    first_bad: str
    nights: int
    environment: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Two runs, compared. Keys in `unmeasured` say why nothing can be said of a cell; `left_out` was not meant to run.

    `pooled` and `pooled_loss` are the mean shifts of all moved cells and of parts of the grid; `sight` the smallest
    shifts that this night would have caught four times in five: pooled, and in the median cell. `run` is the directory
    of the head where that is a night, which can be accepted; `suite` what was run, None where no plan says so. `since`
    is None where no night lies between the two that tells more.
    """

    base: str
    head: str
    verdict: Verdict
    alarms: tuple[Alarm, ...]
    cells: tuple[CellView, ...]
    pooled: tuple[Finding, ...]
    pooled_loss: tuple[Finding, ...]
    costs: tuple[Change, ...]
    cause: Cause | None
    environment: tuple[str, ...]
    unmeasured: Mapping[str, str]
    left_out: tuple[str, ...]
    sight: tuple[float | None, float | None]
    run: str | None = None
    suite: str | None = None
    since: Since | None = None

    @property
    def first(self) -> bool:
        """Whether there was no base at all."""
        return all(cell.base is Standing.MISSING for cell in self.cells)

    @property
    def exit_code(self) -> int:
        """What a command that ends with this comparison exits with."""
        return EXIT[self.verdict]


def of(
    *, ran: bool, alarms: Sequence[Alarm], unmeasured: Mapping[str, str], compared: int
) -> Verdict:
    """The verdict: what is worse is said first, then what is not known; `compared` cells were judged at all."""
    if not ran:
        return Verdict.COULD_NOT_RUN
    if any(alarm.worse and alarm.kind is not Kind.COST for alarm in alarms):
        return Verdict.WORSE
    if unmeasured or not compared:
        return Verdict.TOO_LITTLE
    if any(alarm.worse for alarm in alarms):
        return Verdict.SLOWER
    return Verdict.BETTER if alarms else Verdict.FINE
