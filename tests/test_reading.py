"""Texts and pairs of texts as each family reads them: marks, token types, prompts, and what is cut where."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.learn import reading
from bench.learn.checkpoint import load_tokenizer
from bench.learn.fit import ModelLearner
from bench.spec import Family, Head, Model, Task
from tests import tiny

torch.set_num_threads(1)
PAIR = tiny.TASKS[Head.REGRESS]
ROW = {"one": "anna met him.", "other": "is she happy?"}


def opened(root: Path, family: Family, **changes: Any) -> tuple[Model, Any]:
    model = dataclasses.replace(tiny.checkpoint(family, root / str(family)), **changes)
    return model, load_tokenizer(model, None)


def tokens(tokenizer: Any, ids: list[int]) -> str:
    return " ".join(tokenizer.convert_ids_to_tokens(ids))


def test_an_encoder_reads_a_pair_with_its_marks_and_token_types(root: Path) -> None:
    model, tokenizer = opened(root, Family.ENCODER)
    found = reading.read([ROW], PAIR, model, tokenizer, 64)
    assert tokens(tokenizer, found.ids[0]) == "[CLS] anna met him . [SEP] is she happy ? [SEP]"
    assert found.types == [[0] * 6 + [1] * 5]
    assert found.truncated == 0


def test_an_encoder_decoder_reads_a_pair_with_its_own_mark_between(root: Path) -> None:
    model, tokenizer = opened(root, Family.ENCODER_DECODER)
    found = reading.read([ROW], PAIR, model, tokenizer, 64)
    assert found.ids == [tokenizer(ROW["one"])["input_ids"] + tokenizer(ROW["other"])["input_ids"]]
    assert found.ids[0].count(tokenizer.eos_token_id) == 2
    assert found.types is None


def test_a_decoder_reads_one_text_after_the_other_on_lines_of_their_own(root: Path) -> None:
    model, tokenizer = opened(root, Family.DECODER)
    found = reading.read([ROW], PAIR, model, tokenizer, 64)
    assert tokenizer.decode(found.ids[0]) == "anna met him.\nis she happy?"
    assert found.types is None


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_single_text_is_read_as_it_always_was(root: Path, family: Family) -> None:
    model, tokenizer = opened(root, family)
    rows = tiny.rows(Head.CLASSIFY)
    found = reading.read(rows, tiny.TASKS[Head.CLASSIFY], model, tokenizer, 12)
    texts = [row["text"] for row in rows]
    assert found.ids == tokenizer(texts, truncation=True, max_length=12)["input_ids"]
    assert found.truncated == sum(len(ids) > 12 for ids in tokenizer(texts)["input_ids"])
    assert found.types is None


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [("stsb first: {one} second: {other}", "stsb first: anna met him. second: is she happy?"),
     ("nli hypothesis: {other} premise: {one}", "nli hypothesis: is she happy? premise: anna met him."),
     ("both: ", "both: anna met him. is she happy?")],
)
def test_a_model_that_knows_the_task_by_a_prompt_reads_that(root: Path, prompt: str, expected: str) -> None:
    """And only such a model; the columns stand where the prompt says."""
    task = dataclasses.replace(PAIR, prompt=prompt)
    model, tokenizer = opened(root, Family.ENCODER_DECODER, prompted=True)
    assert reading.read([ROW], task, model, tokenizer, 64).ids == [tokenizer(expected)["input_ids"]]
    plain = dataclasses.replace(model, prompted=False)
    assert reading.read([ROW], task, plain, tokenizer, 64) == reading.read([ROW], PAIR, plain, tokenizer, 64)


def test_text_in_braces_is_text(root: Path) -> None:
    model, tokenizer = opened(root, Family.DECODER)
    row = {"one": "anna {other}", "other": "{0} {"}
    assert tokenizer.decode(reading.read([row], PAIR, model, tokenizer, 64).ids[0]) == "anna {other}\n{0} {"


LONG = "anna met oskar in berlin on monday "


@pytest.mark.parametrize("prompted", [False, True])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_longest_text_is_cut_first_and_rows_that_are_cut_are_counted(
    root: Path, family: Family, prompted: bool
) -> None:
    """A short text is kept whole beside a long one; two long ones keep about the same; all that fits is used."""
    task = dataclasses.replace(PAIR, prompt="first: {one} second: {other}")
    model, tokenizer = opened(root, family, prompted=prompted)
    rows = [ROW, {**ROW, "one": LONG * 9}, {**ROW, "other": LONG * 9}, {"one": LONG * 6, "other": LONG * 9}]
    found = reading.read(rows, task, model, tokenizer, 40)
    assert found.truncated == 3
    assert max(map(len, found.ids)) <= 40
    assert all(len(ids) >= 36 for ids in found.ids[1:])
    texts = [tokenizer.decode(ids, skip_special_tokens=True) for ids in found.ids]
    assert "happy" in texts[1]
    assert "met him" in texts[2]
    assert abs(_share(task, model, tokenizer, found.ids[3])) <= 4


def _share(task: Task, model: Model, tokenizer: Any, ids: list[int]) -> int:
    """By how many mentions of "anna" or "oskar" the first text is longer than the second."""
    text = tokenizer.decode(ids)
    for mark in ("second:", "[SEP]", "</s>", "\n"):
        if mark in text:
            first, second = text.split(mark)[:2]
            return int(first.count("met") - second.count("met"))
    raise AssertionError(f"no mark between the texts in {text!r}")


def test_what_stands_around_the_texts_is_cut_only_when_nothing_is_left_of_them(root: Path) -> None:
    model, tokenizer = opened(root, Family.ENCODER_DECODER, prompted=True)
    task = dataclasses.replace(PAIR, prompt="happy happy happy happy {one} {other}")
    found = reading.read([ROW], task, model, tokenizer, 3)
    assert found.ids == [tokenizer("happy happy happy happy")["input_ids"][:3]]
    assert found.truncated == 1


def test_token_types_reach_the_network(root: Path) -> None:
    """The vector of a pair changes when all its tokens are said to be of the first text."""
    made = ModelLearner(tiny.assignment(Head.REGRESS, tiny.checkpoint(Family.ENCODER, root / "encoder"), "full"))
    network = made._network(0).eval()
    batch = made.head.collate(made.train_examples, made.torch_device)
    assert batch["types"].shape == batch["ids"].shape
    assert (batch["types"] * (1 - batch["mask"])).sum() == 0
    with torch.no_grad():
        marked = made.head.features(network, batch)
        plain = made.head.features(network, {**batch, "types": torch.zeros_like(batch["types"])})
    assert not torch.allclose(marked, plain, atol=1e-3)
