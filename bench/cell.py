"""One cell: search a learning rate, train fresh seeds at it, score them on test, and write down what it took.

A method that trains nothing has no search: its seeds draw the examples that the model is shown.

Knows the order of the stages. The learner, the data and the places of study and models are handed in; nothing else is
written here. The test split is asked for only when the search is over.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from bench import halfway, limits, provenance, score, spent, spread, tune
from bench.errors import BenchError, DivergedError, UnsupportedError, is_out_of_memory
from bench.halfway import Final, Halfway
from bench.learner import Assignment, Fitted, Learner, OpenLearner, Prediction
from bench.material import Material, Scored, digest, prediction_rows
from bench.metrics.metric import Metric
from bench.plan import Cell
from bench.record import Cost, Outcome, Parameters, Point, Record, Training, to_json
from bench.spec import REFERENCE_WIDTH, LogRange

Search = Callable[..., Training | None]
"""`bench.tune.search` or `bench.spread.search`, with the place of its trials."""

SEARCH_SEED = 0
"""The seed of every trial: rates are compared on the same shuffles and the same new parameters."""


@dataclass(frozen=True)
class Finished:
    """A cell's record, and a row for each test row and seed (see `bench.predictions.prediction_schema`)."""

    record: Record
    predictions: list[dict[str, Any]]


def run(
    cell: Cell,
    open_learner: OpenLearner,
    *,
    open_material: Callable[[], Material],
    study: Path,
    facts: Mapping[str, Any] | None = None,
    models: Path | None = None,
    timeout: float | None = None,
    storage: str | None = None,
) -> Finished:
    """The finished cell, whatever becomes of it: a failure is a record with its outcome and reason.

    `study` is the journal of the search; trials that it already holds are not run again, nor are final trainings that
    are kept beside it (`bench.halfway`). `facts` are added to the record's provenance. What every final training stores
    is put into a directory `seed-SEED` of `models`, if that is given. After `timeout` seconds the cell ends with what
    it has. With `storage`, the URL of a database, trials are kept there instead, and shared with all who do so.
    """
    started, clock = provenance.now(), time.perf_counter()
    kept = Halfway(halfway.beside(study), cell.fingerprint, models=models is not None)
    work = _Work(cell, score.metric_named(cell.task.metric), kept)
    search = functools.partial(tune.search, study) if storage is None else functools.partial(spread.search, storage)
    outcome, reason = _in_time(timeout, lambda: _stages(work, open_learner, open_material, search, models))
    seconds = time.perf_counter() - clock
    history = {**provenance.environment(), **(facts or {}), "started": started, "finished": provenance.now()}
    record = _record(work, draft(cell, outcome, reason, history), seconds)
    return Finished(record, prediction_rows(work.material, work.metric, work.finals) if work.material else [])


def draft(cell: Cell, outcome: Outcome, reason: str | None, history: Mapping[str, Any]) -> Record:
    """The record of a cell of which nothing but its ending is known."""
    metric = score.metric_named(cell.task.metric)
    return Record(
        task=cell.task.name, model=cell.model.name, method=cell.method_name, source=cell.source,
        family=str(cell.model.family), head=str(cell.task.head), fingerprint=cell.fingerprint, outcome=outcome,
        reason=reason, metric=metric.name, higher_is_better=metric.higher_is_better,
        budget=to_json(cell.budget), provenance=history, train_size=cell.train_size,
    )


def failure(error: BaseException, frames: int = 4) -> str:
    """An error in words: type, message and the last places it passed, without the directories of this machine."""
    places = traceback.extract_tb(error.__traceback__)[-frames:]
    trail = [f"  {Path(p.filename).parent.name}/{Path(p.filename).name}:{p.lineno} in {p.name}" for p in places]
    return "\n".join([f"{type(error).__name__}: {error}", *trail])


@dataclass
class _Work:
    """A cell in progress: what is known so far, so that one that fails half-way still shows what it did."""

    cell: Cell
    metric: Metric
    halfway: Halfway
    material: Material | None = None
    learner: Learner | None = None
    rates: LogRange | None = None
    best: Training | None = None
    trials: list[Training] = field(default_factory=list)
    finals: list[Scored] = field(default_factory=list)
    floors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    parameters: Parameters | None = None
    peak_memory: int | None = None
    resumed_seconds: float = 0.0

    def resumed(self, training: Training) -> None:
        """Count the time that an earlier attempt spent on it."""
        self.resumed_seconds += training.train_seconds + training.evaluate_seconds


def _stages(
    work: _Work, open_learner: OpenLearner, open_material: Callable[[], Material], search: Search, models: Path | None
) -> None:
    cell = work.cell
    with spent.part("set-up"):
        material = work.material = open_material()
        learner = work.learner = open_learner(_assignment(work, material))
    trainer = _Trainer(learner, material, work.metric)
    if cell.method.rates is not None:
        work.rates = cell.method.rates.scaled(cell.model.rate_factor * REFERENCE_WIDTH / learner.width)
        with spent.part("search"):
            work.best = _search(work, trainer, work.rates, search)
    for number, seed in enumerate(cell.budget.seeds):
        with spent.part("evaluation"):
            work.finals.append(_final(work, trainer, number, seed))
    with spent.part("evaluation"):
        work.floors = material.floors
    if any(final.training.state == "DIVERGED" for final in work.finals):
        raise DivergedError(_lost_seeds(work))
    if models is not None:
        work.halfway.move_models(cell.budget.seeds, models)


def _search(work: _Work, trainer: _Trainer, rates: LogRange, search: Search) -> Training:
    """The best trial. Sees training and validation rows only."""
    budget, metric = work.cell.budget, work.metric

    ended: list[Fitted] = []

    def train(number: int, rate: float, choice: tune.Choice, go_on: Callable[[Point], bool]) -> Training:
        training, fitted = trainer.train(number, rate, SEARCH_SEED, go_on, budget.trial_epochs, choice)
        ended.append(fitted)
        return training

    def keep(trial: Training, resumed: bool) -> None:
        work.trials.append(trial)
        if resumed:
            work.resumed(trial)
        else:
            ended.pop().forget()

    cell = work.cell
    # without the size that may be in the cell's key, which its fingerprint has: by either name the search is the same
    name = f"{cell.task.name}/{cell.model.name}/{cell.method_name} {cell.fingerprint[:16]}"
    best = search(
        name, rates, budget, train, keep, higher_is_better=metric.higher_is_better,
        choices=work.cell.method.choices,
    )
    work.trials.sort(key=lambda trial: trial.number)
    if best is None:
        raise DivergedError(f"all {budget.trials} trials diverged; the last: {work.trials[-1].reason}")
    return best


def _final(work: _Work, trainer: _Trainer, number: int, seed: int) -> Scored:
    """The training from a fresh seed as the best trial did (if anything trains), and its answers to the test questions.

    One that an earlier attempt finished is taken as it was.
    """
    rate, choice = (work.best.rate, work.best.choice) if work.best else (None, {})
    final = work.halfway.final(seed, rate, choice)
    if final is None:
        final = _finished(work, trainer, number, seed)
    else:
        work.resumed(final.training)
    work.parameters = final.parameters
    work.peak_memory = _peak(work.peak_memory, final.peak_memory)
    if final.training.state == "DIVERGED":
        return Scored(final.training)
    statistics = work.metric.statistics(final.predictions, trainer.material.references)
    scores = work.metric.scores(statistics)
    unknown = [name for name, value in scores.items() if not math.isfinite(value)]
    if unknown:
        reason = f"its answers to the test rows have no {unknown[0]}: {scores[unknown[0]]}"
        return Scored(dataclasses.replace(final.training, state="DIVERGED", reason=reason))
    scored = dataclasses.replace(final.training, scores=scores, signatures=work.metric.signatures())
    return Scored(scored, final.predictions, statistics)


def _lost_seeds(work: _Work) -> str:
    """Which final seeds diverged, and what the others scored: a mean over these alone would hide the lost ones."""
    finals = [final.training for final in work.finals]
    lost = [t for t in finals if t.state == "DIVERGED"]
    told = "; ".join(f"seed {t.seed} at rate {t.rate or 0:.3g}: {t.reason}" for t in lost)
    scores = [f"{t.scores[work.metric.name]:.1f} (seed {t.seed})" for t in finals if t.scores is not None]
    others = f". The others have {work.metric.name} {', '.join(scores)}" if scores else ""
    return f"{len(lost)} of {len(finals)} seeds diverged: {told}{others}"


def _finished(work: _Work, trainer: _Trainer, number: int, seed: int) -> Final:
    """A final training and its answers, kept with its model, since nothing should hold its network any more."""
    rate, choice = (work.best.rate, work.best.choice) if work.best else (None, {})
    training, fitted = trainer.train(number, rate, seed, lambda point: True, work.cell.budget.epochs, choice)
    learner, answers = trainer.learner, ()
    if training.state != "DIVERGED":
        answered = fitted.predict(trainer.material.questions)
        answers = tuple(answered.predictions)
        training = dataclasses.replace(
            training,
            health=dataclasses.replace(answered.health, truncated_train=learner.truncated_train),
            evaluate_seconds=training.evaluate_seconds + answered.seconds,
            answers=digest(answers),
            prediction_tokens=answered.tokens or training.prediction_tokens,
        )
    final = Final(training, answers, learner.parameters, learner.peak_memory())
    with spent.part("writing"):
        work.halfway.keep(final, fitted)
        fitted.forget()
    return final


@dataclass(frozen=True)
class _Trainer:
    """A learner that speaks the metric's own direction; learners themselves always climb."""

    learner: Learner
    material: Material
    metric: Metric

    @property
    def sign(self) -> int:
        return 1 if self.metric.higher_is_better else -1

    def train(
        self, number: int, rate: float | None, seed: int, go_on: Callable[[Point], bool], epochs: int,
        choice: tune.Choice,
    ) -> tuple[Training, Fitted]:
        with spent.part("steps"):
            fitted = self.learner.fit(
                rate, seed, self.validate, lambda point: self._go_on(go_on, point), epochs, choice
            )
        training = Training(
            number=number, rate=rate, seed=seed, state=fitted.state,
            value=None if fitted.value is None else self.sign * fitted.value,
            best_step=fitted.best_step, curve=tuple(map(self.natural, fitted.curve)),
            steps=fitted.steps, examples=fitted.examples, tokens=fitted.tokens, train_seconds=fitted.train_seconds,
            evaluate_seconds=fitted.evaluate_seconds, reason=fitted.reason, choice=dict(choice),
            micro_batch=fitted.micro_batch, prediction_tokens=fitted.prediction_tokens,
        )
        return training, fitted

    def _go_on(self, go_on: Callable[[Point], bool], point: Point) -> bool:
        with spent.part("search"):
            return go_on(self.natural(point))

    def validate(self, predictions: Sequence[Prediction]) -> float:
        references = self.material.validation_references
        return self.sign * self.metric.compute(predictions=predictions, references=references)[self.metric.name]

    def natural(self, point: Point) -> Point:
        return dataclasses.replace(point, validation=self.sign * point.validation)


def _assignment(work: _Work, material: Material) -> Assignment:
    cell = work.cell
    return Assignment(
        task=cell.task, model=cell.model, method=cell.method, options=cell.options, budget=cell.budget,
        train=material.splits.train, validation=material.splits.validation, labels=material.labels,
        revision=cell.model_revision, others=cell.others, halfway=work.halfway.place, fingerprint=cell.fingerprint,
    )


def _in_time(timeout: float | None, stages: Callable[[], None]) -> tuple[Outcome, str | None]:
    try:
        with limits.alarm(timeout):
            return _attempt(stages)
    except limits.TimeUpError:
        return Outcome.TIMED_OUT, f"no result after {timeout or 0:g} s"


def _attempt(stages: Callable[[], None]) -> tuple[Outcome, str | None]:
    """How the stages ended. The only place that catches every error: a cell's failure never stops another cell."""
    try:
        stages()
    except UnsupportedError as error:
        return Outcome.UNSUPPORTED, str(error)
    except DivergedError as error:
        return Outcome.DIVERGED, str(error)
    except Exception as error:  # noqa: BLE001 - whatever a cell dies of is its result
        if is_out_of_memory(error):
            return Outcome.OUT_OF_MEMORY, f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        return Outcome.FAILED, str(error) if isinstance(error, BenchError) else failure(error)
    return Outcome.OK, None


def _record(work: _Work, record: Record, seconds: float) -> Record:
    """The draft with all that the work found out."""
    learner, best = work.learner, work.best
    record = dataclasses.replace(
        record,
        data=dataclasses.replace(work.material.splits.data, learnt=work.material.learnt) if work.material else None,
        trials=tuple(work.trials),
        finals=tuple(final.training for final in work.finals),
        floors=work.floors,
        rate=best.rate if best else None,
        choice=best.choice if best else {},
        rate_at_edge=_at_edge(work),
    )
    if learner is not None:
        record = dataclasses.replace(
            record, parameters=work.parameters or learner.parameters, checkpoint=learner.checkpoint,
            cost=_cost(record, seconds + work.resumed_seconds, _peak(work.peak_memory, learner.peak_memory())),
            provenance={**record.provenance, "device": learner.device, "precision": learner.precision},
        )
    return _with_scores(record, work, work.material) if record.outcome is Outcome.OK and work.material else record


def _at_edge(work: _Work) -> bool | None:
    """Whether the best rate is the lowest or highest that was tried, or lies near an end of its range."""
    if work.best is None or work.best.rate is None or work.rates is None:
        return None
    tried = [trial.rate for trial in work.trials if trial.rate is not None]
    extreme = len(tried) > 1 and work.best.rate in (min(tried), max(tried))
    return extreme or work.rates.at_edge(work.best.rate)


def _with_scores(record: Record, work: _Work, material: Material) -> Record:
    by_seed = [final.training.scores or {} for final in work.finals]
    means = {name: fmean(scores[name] for scores in by_seed) for name in work.metric.measures}
    low, high = score.interval(work.metric, [f.statistics for f in work.finals if f.statistics is not None])
    data = dataclasses.replace(
        material.splits.data, overlap=material.overlap, learnt=material.learnt, asked=material.asked
    )
    return dataclasses.replace(record, data=data, scores=means, score=means[work.metric.name], low=low, high=high)


def _peak(*found: int | None) -> int | None:
    return max((peak for peak in found if peak is not None), default=None)


def _cost(record: Record, seconds: float, peak_memory: int | None) -> Cost:
    """What the cell cost in all; `seconds` includes the trials of an earlier, interrupted run, as the other sums do."""
    trainings = (*record.trials, *record.finals)
    train_seconds = sum(t.train_seconds for t in trainings)
    return Cost(
        seconds=seconds,
        train_seconds=train_seconds,
        evaluate_seconds=sum(t.evaluate_seconds for t in trainings),
        examples_per_second=sum(t.examples for t in trainings) / train_seconds if train_seconds else None,
        tokens_per_second=sum(t.tokens for t in trainings) / train_seconds if train_seconds else None,
        peak_memory=peak_memory,
    )
