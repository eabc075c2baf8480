"""What a cell has finished before its record is written, in a directory beside its study.

A worker that is killed so loses no more than the training that is under way. Knows final trainings and files; neither
the order of the stages nor what is trained. Nothing that is read here can be wrong unnoticed: a file that is damaged,
or of another cell, is as good as none.

    studies/TASK/MODEL/METHOD.halfway/final-SEED.json  models/seed-SEED/
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.atomic import directory_in_place, write_atomically
from bench.errors import StoreError
from bench.learner import Fitted, Prediction
from bench.material import digest
from bench.record import Parameters, Training, from_json, to_json


def beside(study: Path) -> Path:
    """The directory that belongs to the cell with this study."""
    return study.with_suffix(".halfway")


@dataclass(frozen=True)
class Final:
    """A finished final training with what its record needs of it.

    `predictions` are the answers to the test rows, none where it diverged. `parameters` are those that trained under
    what was chosen; `peak_memory` is in bytes.
    """

    training: Training
    predictions: tuple[Prediction, ...]
    parameters: Parameters
    peak_memory: int | None


@dataclass(frozen=True)
class Halfway:
    """What is kept of one cell, told from others by its fingerprint. With `models`, each final's model is kept too."""

    place: Path
    fingerprint: str
    models: bool = False

    def final(self, seed: int, rate: float | None, choice: Mapping[str, Any]) -> Final | None:
        """The finished training from this seed at this rate and choice, None where there is none that is whole."""
        try:
            data = json.loads(self._file(seed).read_text(encoding="utf-8"))
            final = from_json(Final, data["final"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        found = final.training
        if data.get("fingerprint") != self.fingerprint or (found.seed, found.rate) != (seed, rate):
            return None
        if dict(found.choice) != dict(choice) or not self._is_whole(final):
            return None
        return final

    def _is_whole(self, final: Final) -> bool:
        found = final.training
        if found.state == "DIVERGED":
            return True
        has_model = not self.models or self._model(found.seed).is_dir()
        return has_model and found.answers == digest(list(final.predictions))

    def keep(self, final: Final, fitted: Fitted) -> None:
        """Keep a training, its model first: the file stands for both.

        Raises StoreError where it cannot be written.
        """
        content = json.dumps({"fingerprint": self.fingerprint, "final": to_json(final)})
        try:
            if self.models and final.training.state != "DIVERGED":
                with directory_in_place(self._model(final.training.seed)) as place:
                    fitted.save(place)
            write_atomically(self._file(final.training.seed), content.encode())
        except OSError as error:
            raise StoreError(
                f"{self.place}: a finished training cannot be kept ({error.strerror}). Make room there, or make it "
                "writable, then run the same command again."
            ) from error

    def move_models(self, seeds: Sequence[int], to: Path) -> None:
        """Move the models of these finals into the directory `to`, which must be on the same file system."""
        for seed in seeds:
            self._model(seed).rename(to / self._model(seed).name)

    def _file(self, seed: int) -> Path:
        return self.place / f"final-{seed}.json"

    def _model(self, seed: int) -> Path:
        return self.place / "models" / f"seed-{seed}"


def forget(study: Path) -> None:
    """Remove what was kept beside a study, since the record has it all."""
    shutil.rmtree(beside(study), ignore_errors=True)
