"""`pretrain`: makes a bundled model again, with its progress shown. Knows recipes by name, not what is in them."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from bench import models, progress, quiet
from bench.errors import RequestError, UnknownNameError
from bench.screen import Screen
from leaderboard import figures

if TYPE_CHECKING:
    from bench.learn.pretrain import Progress
    from bench.learn.recipes import Recipe


def main(arguments: argparse.Namespace, screen: Screen) -> int:
    """Pretrain a model.

    Raises UnknownNameError for one without a recipe, RequestError where another recipe was interrupted in the same
    directory, DivergedError, and KeyboardInterrupt with a message that says how to go on.
    """
    quiet.hush()
    from bench.learn.pretrain import RECIPES, pretrain

    if arguments.model not in RECIPES:
        raise UnknownNameError("model to pretrain:", arguments.model, RECIPES)
    recipe = _changed(RECIPES[arguments.model], arguments)
    if recipe != RECIPES[arguments.model] and arguments.out is None:
        raise RequestError("another --steps or --seed makes another model than the bundled one. Say where: --out DIR")
    out = arguments.out or _bundled(recipe.name)
    screen.say(f"pretraining {recipe.name}: {recipe.steps:,} steps into {out}")
    last = 0
    with progress.Bar(screen) as bar:

        def show(at: Progress) -> None:
            nonlocal last
            last = at.step
            bar.show(at.step, at.steps, _words(at))

        try:
            pretrain(recipe, out, progress=show, resume=arguments.resume)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_stopped(recipe, out, last)) from None
    screen.say(f"done: {out}")
    return 0


def _changed(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    asked = {"steps": arguments.steps, "seed": arguments.seed}
    return dataclasses.replace(recipe, **{name: value for name, value in asked.items() if value is not None})


def _bundled(name: str) -> Path:
    """Where the catalog looks for the bundled model of that name."""
    row = next((model for model in models.MODELS if model.name == name), None)
    if row is None:
        raise RequestError(f"{name!r} has a recipe but no row in bench/models.py. Say where to write it: --out DIR")
    return models.ROOT / row.path


def _words(at: Progress) -> str:
    left = figures.seconds(at.seconds_left)
    return f"loss {at.loss:.3f}  {figures.count(at.tokens_per_second)} tokens/s  about {left} left"


def _stopped(recipe: Recipe, out: Path, step: int) -> str:
    kept = step // recipe.checkpoint_every * recipe.checkpoint_every
    what = f"what was learnt up to step {kept:,} is kept in {out / '.resume'}" if kept else "nothing was kept yet"
    return f"stopped after step {step:,}: {what}; run the same command to go on"
