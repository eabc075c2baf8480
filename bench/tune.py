"""The search for a cell's learning rate: Optuna proposes, a training answers, every trial is kept in a journal.

A method may have choices that are searched along with it. Knows rates, budgets and how trials end; not what is trained.
A search that was interrupted goes on as if it had not been: finished trials are read back from the journal, and what
was under way is proposed again as it was.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.atomic import make_folder, write_atomically
from bench.record import Point, Training, from_json, to_json
from bench.spec import Budget, LogRange

if TYPE_CHECKING:
    import optuna

STRATA = 3
"""The first trials cover this many equal parts of the (logarithmic) range; after them Optuna's sampler proposes."""

RATE = "rate"
"""What the learning rate is called in a study."""

COMPARED = 2
"""Trials that must have run to their end before one may be pruned. One alone would decide by its first epoch."""

KEPT = 100.0
"""Percent of the earlier trials, at the same evaluation, one of which a trial must equal to go on.

The usual median cuts rates that start slowly and end best: of BitFit with MiniLM on named entities, the winner of two
stood at an F1 of 12 after half a trial, the other at 24.
"""

Choice = Mapping[str, Any]
"""What is searched beside the rate, by name."""

Train = Callable[[int, float, Choice, Callable[[Point], bool]], Training]
"""Runs trial `number` at a rate and a choice; hands every evaluation to the callback, which says whether to go on."""


Keep = Callable[[Training, bool], None]
"""Is told of every trial in order, and whether it was read back rather than run."""


def search(
    journal: Path, name: str, rates: LogRange, budget: Budget, train: Train, keep: Keep,
    *, higher_is_better: bool = True, choices: Mapping[str, Sequence[Any]] | None = None,
) -> Training | None:
    """The best of `budget.trials` trials over `rates` and `choices`, or None where every one diverged.

    Trials that `journal` already holds under `name` (the cell's name and fingerprint) are not run again. `name` also
    seeds the proposals. Nobody else may write to the journal meanwhile.
    """
    study = _open_study(journal, name, higher_is_better)
    trials = _settled(study)
    for trial in trials:
        keep(trial, True)
    for number in range(len(trials), budget.trials):
        trials.append(_run_trial(study, name, number, rates, choices or {}, budget, train))
        keep(trials[-1], False)
    return best_of(trials, higher_is_better=higher_is_better)


def best_of(trials: Sequence[Training], *, higher_is_better: bool = True) -> Training | None:
    """The completed trial with the best validation score, of equals the one with the smallest rate."""
    sign = 1 if higher_is_better else -1
    complete = [t for t in trials if t.state == "COMPLETE" and t.value is not None]
    return max(complete, key=lambda t: (sign * (t.value or 0.0), -(t.rate or 0.0)), default=None)


def first_rates(rates: LogRange, count: int) -> list[float]:
    """The default, then the centres of the other of `count` equal parts of the logarithmic range, farthest first.

    A handful of random draws leaves gaps; one trial in every part does not (stratified sampling).
    """
    width = math.log(rates.high / rates.low)
    position = math.log(rates.default / rates.low) / width if width else 0.0
    own = min(int(position * count), count - 1)
    centres = [(i + 0.5) / count for i in range(count) if i != own] if width else []
    centres.sort(key=lambda centre: (-round(abs(centre - position), 9), centre))
    return [rates.default, *(rates.low * math.exp(centre * width) for centre in centres)]


def _open_study(journal: Path, name: str, higher_is_better: bool) -> optuna.Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    make_folder(journal.parent)
    _mend(journal)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name=name,
        load_if_exists=True,
        direction="maximize" if higher_is_better else "minimize",
        pruner=pruner(),
    )


def pruner() -> optuna.pruners.BasePruner:
    """What says that a trial is hopeless."""
    import optuna

    return optuna.pruners.PercentilePruner(KEPT, n_startup_trials=COMPARED)


def sampler(name: str, number: int) -> optuna.samplers.BaseSampler:
    """What proposes the trial of this number. One for each makes the proposal independent of interruptions."""
    from optuna.samplers import TPESampler

    return TPESampler(seed=_seed(name, number), n_startup_trials=1)


def _mend(journal: Path) -> None:
    """Take away what a killed writer can leave: its lock, and half a line, which would make the whole unreadable.

    A journal that is damaged further up is read as far as that, and kept beside as `.damaged`.
    """
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)
    content = journal.read_bytes() if journal.exists() else b""
    lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
    good = list(itertools.takewhile(_is_entry, lines))
    if len(good) < len(lines):
        write_atomically(journal.with_name(journal.name + ".damaged"), content)
    if b"".join(good) != content:
        write_atomically(journal, b"".join(good))


def _is_entry(line: bytes) -> bool:
    """Whether a line of a journal is one of Optuna's."""
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and {"op_code", "worker_id"} <= entry.keys()


def _settled(study: optuna.Study) -> list[Training]:
    """The trials that a training finished, in order. Those that were cut off are marked FAIL and do not count."""
    from optuna.trial import TrialState

    settled = []
    for trial in study.get_trials(deepcopy=False):
        stored = trial.user_attrs.get("training")
        training = None if stored is None else from_json(Training, stored)
        if trial.state == TrialState.RUNNING:
            tell(study, trial.number, training)
        if training is not None:
            settled.append(training)
    return settled


def _run_trial(
    study: optuna.Study, name: str, number: int, rates: LogRange, choices: Mapping[str, Sequence[Any]],
    budget: Budget, train: Train,
) -> Training:
    trial = _propose(study, name, number, rates, choices, budget)
    choice = {name: trial.params[name] for name in choices}
    training = train(number, trial.params[RATE], choice, Judge(trial, budget))
    trial.set_user_attr("training", to_json(training))
    tell(study, trial.number, training)
    return training


def _propose(
    study: optuna.Study, name: str, number: int, rates: LogRange, choices: Mapping[str, Sequence[Any]], budget: Budget
) -> optuna.Trial:
    """The next trial."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna.trial import TrialState

    fixed = first_rates(rates, min(budget.trials, STRATA))
    study.sampler = sampler(name, number)
    if number < len(fixed) and not study.get_trials(deepcopy=False, states=[TrialState.WAITING]):
        study.enqueue_trial({RATE: fixed[number], **first_choice(choices, number)})
    categories = {name: CategoricalDistribution(tuple(values)) for name, values in choices.items()}
    return study.ask({RATE: FloatDistribution(rates.low, rates.high, log=True), **categories})


def first_choice(choices: Mapping[str, Sequence[Any]], number: int) -> Choice:
    """What the trial of this number takes of each choice before the sampler is on its own: all of them in turn."""
    return {name: values[number % len(values)] for name, values in choices.items()}


def _seed(name: str, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{name}/{number}".encode()).digest()[:4], "big")


def tell(study: optuna.Study, number: int, training: Training | None) -> None:
    """Let a trial end as its training did; one that was cut off, or diverged, fails."""
    from optuna.trial import TrialState

    states: dict[str, Any] = {"COMPLETE": TrialState.COMPLETE, "PRUNED": TrialState.PRUNED}
    state = TrialState.FAIL if training is None else states.get(training.state, TrialState.FAIL)
    value = training.value if training is not None and state == TrialState.COMPLETE else None
    study.tell(number, value, state=state, skip_if_finished=True)


class Judge:
    """Reports every evaluation of a trial and prunes it when it falls behind all of those before.

    Never at the last evaluation, where nothing is left to be saved.
    """

    def __init__(self, trial: optuna.Trial, budget: Budget) -> None:
        self.trial, self.budget, self.seen = trial, budget, 0

    def __call__(self, point: Point) -> bool:
        self.seen += 1
        self.trial.report(point.validation, self.seen)
        last = self.seen >= self.budget.evaluations or point.epoch >= self.budget.trial_epochs
        return last or not self.trial.should_prune()
