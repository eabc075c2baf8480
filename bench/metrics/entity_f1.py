"""F1, precision and recall of named entities in IOB2 tags, strict. Knows no tag set.

An entity is a `B-x` and the `I-x` that follow it without a gap; it is found when its first token, last token and type
are all right. Counts are summed over the corpus (micro average). These are seqeval's definitions (mode="strict",
scheme=IOB2).

On valid IOB2 the numbers are those of conlleval.pl, the script of the CoNLL-2003 shared task (Tjong Kim Sang and De
Meulder 2003). The two differ where an `I-x` continues nothing (after `O`, after another type, or at the start of a
sentence): conlleval.pl lets it begin an entity, here it belongs to none. The strict reading is chosen because a tagger
that emits `I-x` for `B-x` has not solved the task as its labels state it; conlleval's repair would hide that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.metric import Array, Metric, divide

Entity = tuple[int, int, str]
"""First token, token after the last, type."""


def entities(tags: Sequence[str]) -> set[Entity]:
    """The entities of one sentence.

    Raises ValueError for a tag that is not `O`, `B-type` or `I-type`.
    """
    found: set[Entity] = set()
    start, kind = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        if prefix not in ("B", "I") if name else tag != "O":
            raise ValueError(f"tag {tag!r} at token {i} is not IOB2. Use 'O', 'B-TYPE' and 'I-TYPE'.")
        if kind and (prefix != "I" or name != kind):
            found.add((start, i, kind))
            kind = ""
        if prefix == "B":
            start, kind = i, name
    return found


def _extract(predictions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> Array:
    """[entities found, entities predicted, entities true]."""
    rows = []
    for i, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
        if len(prediction) != len(reference):
            raise ValueError(
                f"entity_f1: example {i} has {len(prediction)} predicted tags for {len(reference)} tokens. "
                "Give every token one tag; 'O' where the input was cut."
            )
        predicted, true = entities(prediction), entities(reference)
        rows.append((len(predicted & true), len(predicted), len(true)))
    return np.array(rows, dtype=np.float64)


def _aggregate(sums: Array) -> dict[str, Array]:
    """0 where nothing is predicted or nothing is true, as in both official programs."""
    found, predicted, true = sums[..., 0], sums[..., 1], sums[..., 2]
    return {
        "entity_f1": 100 * divide(2 * found, predicted + true),
        "entity_precision": 100 * divide(found, predicted),
        "entity_recall": 100 * divide(found, true),
    }


def _examples(statistics: Array) -> Array:
    """F1 of each sentence; a sentence without entities in which none was predicted is right, not 0."""
    silent = statistics.sum(axis=1) == 0
    return np.where(silent, 100.0, _aggregate(statistics)["entity_f1"])


def _describe() -> dict[str, str]:
    return dict.fromkeys(ENTITY_F1.measures, "scheme:IOB2|mode:strict|average:micro")


ENTITY_F1 = Metric(
    name="entity_f1",
    measures=("entity_f1", "entity_precision", "entity_recall"),
    reference="tags",
    extract=_extract,
    aggregate=_aggregate,
    describe=_describe,
    examples=_examples,
)
