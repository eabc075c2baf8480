"""`export`: the model of a cell as a directory that can be carried elsewhere, with a card that says what it is.

Knows records and kept models; what is done with their tensors is for `bench.learn`.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
from pathlib import Path

from bench import keep, models
from bench.atomic import directory_in_place
from bench.commands import model_card, results
from bench.errors import RequestError, StoreError
from bench.keep import Kept
from bench.record import Outcome, Record, Training
from bench.screen import Screen
from bench.store import Store

BESIDE_WEIGHTS = ("generation_config.json", "special_tokens_map.json", "chat_template*", "*.safetensors.index.json")
"""Files of a checkpoint that have a part in how it is loaded or writes, beside `models.CHECKPOINT_FILES`."""


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Write the directory.

    Raises StoreError where there is no run or no kept model, RequestError for what cannot be exported as asked.
    """
    run = results.directory(arguments.run)
    record = results.named(results.read(run, screen), arguments.cell)
    final = _final(record, arguments.seed)
    place = Store(run).model(record.names, final.seed)
    if not place.is_dir():
        raise StoreError(
            f"the model of {record.key} with seed {final.seed} was not kept. Run the same command again with "
            "--keep-models: the final seeds train again, the search does not."
        )
    keep.check_new(arguments.directory)
    with directory_in_place(arguments.directory) as out:
        limit = _merge(place, out) if arguments.merged else _copy(place, out)
        card = model_card.render(record, final, keep.read(out), limit)
        (out / "README.md").write_text(card, encoding="utf-8")
    screen.say(f"{arguments.directory}  {record.key}, seed {final.seed}: README.md says how to load it")
    return 0


def _final(record: Record, seed: int | None) -> Training:
    """The final training that is asked for, else the one with the best validation score (of equals the first)."""
    if record.outcome is not Outcome.OK:
        raise RequestError(f"{record.key} has no model: it ended as {record.outcome}. Choose another cell.")
    by_seed = {final.seed: final for final in record.finals}
    if seed is not None and seed not in by_seed:
        raise RequestError(f"{record.key} has no seed {seed}, only {', '.join(map(str, by_seed))}. Choose one of them.")
    if seed is not None:
        return by_seed[seed]
    sign = 1 if record.higher_is_better else -1
    return max(record.finals, key=lambda final: sign * (final.value or 0.0))


def _merge(place: Path, out: Path) -> int:
    from bench.learn import merge

    return merge.export(place, out)


def _copy(place: Path, out: Path) -> int:
    """The kept model as it is, and its checkpoint where nobody else could have it from the hub."""
    kept = keep.read(place)
    checkpoint = keep.checkpoint_of(place, kept)
    shutil.copy2(place / keep.TENSORS, out)
    if kept.revision is None:
        kept = _with_checkpoint(kept, models.directory(checkpoint), out / keep.CHECKPOINT)
    keep.write(out, kept)
    return kept.task.input_tokens


def _with_checkpoint(kept: Kept, source: Path | None, target: Path) -> Kept:
    """`kept` without the place of the checkpoint on this machine, a copy of which is put into `target`."""
    assert source is not None, "a checkpoint without a revision lies on this machine"
    target.mkdir()
    for pattern in (*models.CHECKPOINT_FILES, *BESIDE_WEIGHTS):
        for path in source.glob(pattern):
            shutil.copy2(path, target)
    return dataclasses.replace(kept, model=dataclasses.replace(kept.model, path=keep.CHECKPOINT, package=None))
