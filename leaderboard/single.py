"""One cell in full, as plain text for a terminal. Knows a single record."""

from __future__ import annotations

from collections.abc import Sequence

from bench.record import Record, Training
from leaderboard import figures, footer, health, spending, stats
from leaderboard.search import Search, search


def render(record: Record) -> str:
    """All that is known of a cell, one fact a line: score, measures, search, seeds, floors, cost, data, provenance."""
    parts = [
        figures.plain(record.key),
        *_facts("result", _result(record)),
        *_facts("search", [(f"trial {t.number}", _training(t)) for t in record.trials]),
        *_facts("search added", _search(search(record))),
        *_facts("seeds", [(f"seed {t.seed}", _final(t, record.metric)) for t in record.finals]),
        *_facts("floors", [(n, figures.score(s.get(record.metric))) for n, s in sorted(record.floors.items())]),
        *_facts("cost", _cost(record)),
        *_facts("where the time went", _spent(record)),
        *_facts("budget", [(f.name, f.value) for f in footer.budget([record])]),
        *_facts("data", [("source", _source(record)), *((f.name, f.value) for f in footer.data([record]))]),
        *_facts("checkpoint", [(f.name, f.value) for f in footer.checkpoints([record])]),
        *_facts("provenance", [(f.name, f.value) for f in footer.provenance([record])]),
    ]
    return "\n".join(parts)


def _facts(heading: str, pairs: Sequence[tuple[str, str]]) -> list[str]:
    if not pairs:
        return []
    width = max(len(name) for name, _ in pairs)
    return ["", heading, *(f"  {name:<{width}}  {value}".rstrip() for name, value in pairs)]


def _result(record: Record) -> list[tuple[str, str]]:
    pairs = [("outcome", str(record.outcome))]
    if record.reason:
        pairs.append(("reason", "\n    ".join(figures.plain(line) for line in record.reason.splitlines())))
    if record.score is not None:
        spread = figures.spread(stats.sample_sd(record.seed_scores))
        interval = figures.interval(record.low, record.high)
        pairs.append((record.metric, f"{figures.score(record.score)} {spread}  95% interval {interval or 'unknown'}"))
    others = sorted((record.scores or {}).items())
    pairs += [(name, figures.measure(value, name)) for name, value in others if name != record.metric]
    if record.rate is not None:
        edge = ", the lowest or highest tried" if record.rate_at_edge else ""
        pairs.append(("learning rate", f"{figures.rate(record.rate)}{edge}"))
    pairs += [(f"chosen {name}", figures.plain(str(value))) for name, value in record.choice.items()]
    return pairs + [("health", words) for words in health.words(record)]


def _search(found: Search) -> list[tuple[str, str]]:
    """What the search was worth, on validation rows."""
    if found.default is None or found.gain is None or found.trials < 2:
        return []
    course = " ".join(figures.score(value) for value in found.best_so_far)
    return [
        ("default", figures.score(found.default)), ("tuned", f"{figures.score(found.tuned)}  gain {found.gain:.1f}"),
        ("best so far", course), ("time", figures.seconds(found.seconds)),
    ]


def _training(training: Training) -> str:
    score = figures.score(training.value)
    reason = f"  {figures.plain(training.reason)}" if training.reason else ""
    chosen = "".join(f"  {name} {figures.plain(str(value)):<4}" for name, value in training.choice.items())
    return f"rate {figures.rate(training.rate):<7}{chosen}  validation {score:>5}  {training.state}{reason}"


def _final(training: Training, metric: str) -> str:
    score = figures.score((training.scores or {}).get(metric))
    return f"test {score:>5}  {_training(training)}"


def _cost(record: Record) -> list[tuple[str, str]]:
    pairs = []
    if record.cost is not None:
        pairs.append(("time", figures.seconds(record.cost.seconds)))
        pairs.append(("peak memory", figures.size(record.cost.peak_memory)))
        if record.cost.examples_per_second is not None:
            pairs.append(("training speed", f"{record.cost.examples_per_second:,.0f} examples/s"))
    if record.parameters is not None:
        p = record.parameters
        pairs.append(("trainable", f"{p.trainable:,} of {p.total:,} (method {p.method:,}, head {p.head:,})"))
        if p.reparametrisation:
            made = f"{p.reparametrisation:,} only make others while they train"
            pairs.append(("stored", f"{figures.size(p.stored_bytes)}; {made}"))
    return pairs


def _spent(record: Record) -> list[tuple[str, str]]:
    """Seconds by part, for a run with --profile."""
    pairs = [(part.name, f"{figures.seconds(part.seconds):>7}  {part.share:4.0%}") for part in spending.parts(record)]
    share, waiting = spending.work(record), spending.waiting(record)
    if share is not None:
        pairs.append(("the work itself", f"{share:.0%}  (forward, backward, optimizer, generation)"))
    if waiting is not None:
        pairs.append(("waiting", f"{figures.seconds(waiting):>7}  without a processor, in all parts"))
    return pairs


def _source(record: Record) -> str:
    return f"{record.source}, synthetic" if record.data and record.data.synthetic else record.source
