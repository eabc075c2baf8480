"""The search of `bench.tune` with its trials in a database, so that several workers and machines share those of a cell.

Knows who runs which trial; not what is trained. The trials of a cell have numbers, here called slots. A slot is taken
by whoever first has a trial of the database in it, and is free again once that trial's worker has fallen silent.

What is reproducible: the first trials, whose rates are fixed, always; every trial, where one worker runs them all or
where nobody asks for one before all earlier ones are done. Otherwise a proposal (and whether a trial is pruned) depends
on which trials were finished when it was made, and so on the clock.
"""

from __future__ import annotations

import re
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench import tune
from bench.errors import RequestError, StoreError
from bench.record import Training, from_json, to_json
from bench.redact import redact
from bench.spec import Budget, LogRange

if TYPE_CHECKING:
    import optuna

BEAT = 10
"""Seconds between two signs of life of a trial."""

SILENCE = 60
"""Seconds without a sign of life after which a trial's worker counts as dead."""

POLL = 1.0
"""Seconds between two looks at the trials of others."""

TRIES = 4
"""How often the database is asked before it counts as unreachable; the pauses between are 1, 2, 4 seconds."""

DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "mysql": "mysql+pymysql"}
"""What to add to a URL that names no driver."""

SLOT, BEATING = "slot", "beating"
"""What a trial in the database says of itself: its number in the search, and that its signs of life have begun."""


def checked(url: str, *, written_down: bool = False) -> str:
    """The URL as it is opened.

    Raises RequestError for one that names no database, or has a password though it will be `written_down` in files.
    """
    found = re.match(r"(postgresql|postgres|mysql|sqlite)(\+\w+)?://", url)
    if found is None:
        raise RequestError(
            f"--storage {redact(url)!r}: write the URL of a database, as in postgresql://user@host/name, "
            "mysql://user@host/name or sqlite:///file.db."
        )
    if written_down and re.search(r"://[^/@:]*:.*@|[?&]password=", url):
        raise RequestError(
            f"--storage {redact(url)!r}: jobs are sent as files, where its password would stand. Leave it out, and to "
            "~/.pgpass on every node."
        )
    kind, driver = found.groups()
    return url if driver else url.replace(kind, DRIVERS.get(kind, kind), 1)


def search(
    url: str, name: str, rates: LogRange, budget: Budget, train: tune.Train, keep: tune.Keep,
    *, higher_is_better: bool = True, choices: Mapping[str, Sequence[Any]] | None = None,
) -> Training | None:
    """As `bench.tune.search`, with others who call it by the same name; returns when all trials are done.

    `keep` is told of each trial that was run here when it is over, and of those of others, as resumed, in the end.
    Raises StoreError where the database cannot be had.
    """
    import optuna

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.filterwarnings("ignore", message="Heartbeat of storage")
            here = _Search(_open_study(url, name, higher_is_better), name, rates, choices or {}, budget, train, keep)
            return tune.best_of(here.run(), higher_is_better=higher_is_better)
    except optuna.exceptions.StorageInternalError as error:
        raise _unreachable(url, error) from error


def _open_study(url: str, name: str, higher_is_better: bool) -> optuna.Study:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for pause in (*(2**n for n in range(TRIES - 1)), None):
        try:
            storage = optuna.storages.RDBStorage(
                checked(url), {"pool_pre_ping": True}, heartbeat_interval=BEAT, grace_period=SILENCE
            )
            return optuna.create_study(
                storage=storage, study_name=name, load_if_exists=True, pruner=tune.pruner(),
                direction="maximize" if higher_is_better else "minimize",
            )
        except ImportError as error:
            raise StoreError(
                f"the driver of {redact(url)} is not installed ({redact(str(error))}). Install it, as in "
                "`pip install finetune-bench[postgres]`."
            ) from error
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            if pause is None:  # not only somebody else who was making the tables at the same moment
                raise _unreachable(url, error) from None
            time.sleep(pause)
    raise AssertionError("unreachable")


def _unreachable(url: str, error: Exception) -> StoreError:
    cause = error.__cause__ or getattr(error, "orig", None) or error
    reason = redact((str(cause).splitlines() or [""])[0])
    return StoreError(f"the study storage {redact(url)} cannot be used: {reason}. Mend it, then run the command again.")


@dataclass
class _Search:
    """One worker's part in a search."""

    study: optuna.Study
    name: str
    rates: LogRange
    choices: Mapping[str, Sequence[Any]]
    budget: Budget
    train: tune.Train
    keep: tune.Keep
    own: set[int] = field(default_factory=set)
    watched: dict[int, float] = field(default_factory=dict)

    def run(self) -> list[Training]:
        """All trials by their numbers, once they are done, here or elsewhere."""
        while len(settled := self._settled()) < self.budget.trials:
            found = self._claim()
            if found is None:
                time.sleep(POLL)
            else:
                self._run_trial(*found)
        for slot in sorted(settled.keys() - self.own):
            self.keep(settled[slot], True)
        return [settled[slot] for slot in sorted(settled)]

    def _trials(self) -> list[optuna.trial.FrozenTrial]:
        found: list[optuna.trial.FrozenTrial] = self.study.get_trials(deepcopy=False)
        return found

    def _settled(self) -> dict[int, Training]:
        """The finished trainings by slot; of a slot that two ran, since one was taken for dead, the earlier trial."""
        found: dict[int, Training] = {}
        for trial in self._trials():
            stored, slot = trial.user_attrs.get("training"), trial.user_attrs.get(SLOT)
            if stored is not None and slot is not None and slot not in found:
                found[slot] = from_json(Training, stored)
        return found

    def _claim(self) -> tuple[optuna.Trial, int] | None:
        """A trial that is this worker's, with its slot; None where there is none to be had at the moment."""
        self._bury()
        free = self._free()
        if free is not None:
            fixed = tune.first_rates(self.rates, min(self.budget.trials, tune.STRATA))
            first = {tune.RATE: fixed[free], **tune.first_choice(self.choices, free)} if free < len(fixed) else {}
            self.study.enqueue_trial(first, user_attrs={SLOT: free})
        elif not any(trial.state.name == "WAITING" for trial in self._trials()):
            return None
        return self._taken()

    def _free(self) -> int | None:
        """The lowest slot without a trial that is done, under way or waiting."""
        taken = {trial.user_attrs.get(SLOT) for trial in self._trials() if _counts(trial)}
        return next((slot for slot in range(self.budget.trials) if slot not in taken), None)

    def _taken(self) -> tuple[optuna.Trial, int] | None:
        """A waiting trial, unless its slot has another already: two workers may have put one in at once."""
        import optuna

        self.study.sampler = optuna.samplers.RandomSampler(seed=0)  # the real one needs the slot, not known yet
        popped = self.study.ask()
        slot = popped.user_attrs.get(SLOT)
        earlier = [t for t in self._trials() if t.number < popped.number and t.user_attrs.get(SLOT) == slot]
        if slot is None or any(map(_counts, earlier)):
            self._end(popped.number, None)
            return None
        self.study.sampler = tune.sampler(self.name, slot)
        return optuna.Trial(self.study, popped._trial_id), slot

    def _run_trial(self, trial: optuna.Trial, slot: int) -> None:
        import optuna

        with _beating(self.study, trial):
            rate = trial.suggest_float(tune.RATE, self.rates.low, self.rates.high, log=True)
            choice = {name: trial.suggest_categorical(name, list(values)) for name, values in self.choices.items()}
            training = self.train(slot, rate, choice, tune.Judge(trial, self.budget))
            try:
                _patiently(lambda: trial.set_user_attr("training", to_json(training)))
            except optuna.exceptions.UpdateFinishedTrialError:
                return  # this worker was silent for so long that another has taken the slot
            _patiently(lambda: self._end(trial.number, training))
        self.own.add(slot)
        self.keep(training, False)

    def _end(self, number: int, training: Training | None) -> None:
        """Let a trial end, unless somebody else does so at the same moment."""
        import optuna

        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            tune.tell(self.study, number, training)

    def _bury(self) -> None:
        """Let go of the trials whose workers have died, and finish those that lacked only their end."""
        import optuna

        for trial in self._trials():
            if trial.state == optuna.trial.TrialState.RUNNING and "training" in trial.user_attrs:
                self._end(trial.number, from_json(Training, trial.user_attrs["training"]))
        optuna.storages.fail_stale_trials(self.study)
        for trial in self._trials():  # without a sign of life the database tells of no silence
            mute = trial.state == optuna.trial.TrialState.RUNNING and BEATING not in trial.user_attrs
            if mute and time.monotonic() - self.watched.setdefault(trial.number, time.monotonic()) > SILENCE:
                self._end(trial.number, None)


def _counts(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether a trial fills its slot."""
    return trial.state.name != "FAIL" or "training" in trial.user_attrs


@contextmanager
def _beating(study: optuna.Study, trial: optuna.Trial) -> Iterator[None]:
    """Give signs of life meanwhile."""
    storage, over = study._storage, threading.Event()

    def beat() -> None:
        import optuna

        while not over.wait(BEAT):
            try:
                storage.record_heartbeat(trial._trial_id)
            except optuna.exceptions.StorageInternalError:
                continue  # the next one may get through

    storage.record_heartbeat(trial._trial_id)
    trial.set_user_attr(BEATING, True)
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _patiently(action: Callable[[], None]) -> None:
    """Do what a database that is being restarted does not let be done at once."""
    import optuna

    for pause in range(TRIES - 1):
        try:
            return action()
        except optuna.exceptions.StorageInternalError:
            time.sleep(2**pause)
    return action()
