"""What is found about a cell beside its score, and what of it puts the score in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.record import Health, Record
from leaderboard import frame, health, markdown, terminal
from leaderboard.health import Severity
from tests import fake_records

HEALTHY = fake_records.record("qa", "t5-mini", "full")


def counted(record: Record, **counts: int) -> Record:
    """The record with these counts for its first seed, of 600 test rows."""
    seen = Health(**{"distinct": 40, **counts})
    return replace(record, finals=(replace(record.finals[0], health=seen), *record.finals[1:]))


def scored(*scores: float) -> Record:
    """Seeds with these scores on a task whose floor is 14.2."""
    finals = tuple(replace(t, scores={"squad_f1": s}) for t, s in zip(HEALTHY.finals, scores, strict=True))
    return replace(HEALTHY, finals=finals, score=sum(scores) / len(scores))


def kinds(record: Record) -> dict[str, Severity]:
    return {finding.kind: finding.severity for finding in health.findings(record)}


def test_nothing_is_found_about_a_healthy_cell() -> None:
    assert health.words(HEALTHY) == ()


@pytest.mark.parametrize("kind", ["truncated", "capped", "invalid", "empty", "fewer_examples"])
def test_what_happened_to_few_test_rows_is_told_and_to_many_puts_the_score_in_doubt(kind: str) -> None:
    assert kinds(counted(HEALTHY, **{kind: 29})) == {kind: Severity.NOTE}
    assert kinds(counted(HEALTHY, **{kind: 30})) == {kind: Severity.DOUBT}
    assert "(5%)" in health.words(counted(HEALTHY, **{kind: 30}))[0]


def test_training_inputs_that_were_cut_are_a_share_of_the_training_rows() -> None:
    assert kinds(counted(HEALTHY, truncated_train=74)) == {"truncated_train": Severity.NOTE}
    assert kinds(counted(HEALTHY, truncated_train=75)) == {"truncated_train": Severity.DOUBT}


def test_counts_are_those_of_the_worst_seed() -> None:
    first, second, third = counted(HEALTHY, empty=3).finals
    assert second.health is not None
    odd = replace(second, health=replace(second.health, empty=7))
    assert health.words(replace(HEALTHY, finals=(first, odd, third))) == ("7 empty answers",)


def test_seeds_that_collapsed_are_counted() -> None:
    assert health.words(counted(HEALTHY, distinct=1)) == ("! one answer for every row with 1 of 3 seeds",)
    assert health.words(fake_records.record("sentiment", "gpt2-mini", "head_only"))[0] == "! one answer for every row"


def test_a_seed_at_the_floor_while_another_is_well_above_it_got_nowhere() -> None:
    assert health.words(scored(60.0, 14.2, 61.0)) == ("! 1 of 3 seeds got nowhere",)
    assert health.words(scored(60.0, 14.3, 61.0)) == ()


def test_seeds_that_are_all_near_the_floor_are_not_said_to_be_lost() -> None:
    assert health.words(scored(14.0, 15.0, 16.0)) == ()


@pytest.mark.parametrize(("ratio", "told"), [
    (1.0, None), (0.8, None), (0.5, "answers 0.50 times as long as the references, brevity penalty 0.37"),
    (2.0, "answers 2.00 times as long as the references"), (0.0, "answers 0.00 times as long as the references, "
     "brevity penalty 0.00"),
])
def test_written_answers_much_shorter_or_longer_than_the_references_put_bleu_in_doubt(
    ratio: float, told: str | None
) -> None:
    record = counted(fake_records.record("translation", "t5-mini", "full"))
    found = health.words(replace(record, scores={**(record.scores or {}), "length_ratio": ratio}))
    assert [words.removeprefix("! ") for words in found if "times as long" in words] == ([told] if told else [])


def test_the_brevity_penalty_is_sacrebleus() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    score = sacrebleu.corpus_bleu(["a b c d"] * 3, [["a b c d e f g h"] * 3])
    record = replace(fake_records.record("translation", "t5-mini", "full"), scores={"length_ratio": 0.5})
    assert any(f"brevity penalty {score.bp:.2f}" in words for words in health.words(record))


def test_test_rows_seen_in_training_are_found() -> None:
    assert HEALTHY.data is not None
    few, many = (replace(HEALTHY, data=replace(HEALTHY.data, overlap=n)) for n in (1, 60))
    assert health.words(few) == ("1 test row seen in training",)
    assert health.words(many) == ("! 60 test rows seen in training (10%)",)


def test_what_the_search_could_not_find_out_is_told() -> None:
    states = ["COMPLETE", "PRUNED", "PRUNED", "DIVERGED"]
    trials = tuple(replace(t, state=s) for t, s in zip(HEALTHY.trials, states, strict=True))
    record = replace(HEALTHY, trials=trials, rate_at_edge=True)
    assert kinds(record) == dict.fromkeys(("lost_trials", "one_trial", "edge"), Severity.NOTE)
    assert health.trials(record) == "4 (2 pruned, 1 diverged)"


def test_a_cell_that_did_not_end_well_has_findings_too() -> None:
    found: dict[str, Any] = {r.key: health.words(r) for r in fake_records.records() if r.score is None}
    assert len(found) == 5


def test_doubt_marks_the_cell_in_markdown_and_terminal() -> None:
    board = frame.table([counted(HEALTHY, invalid=60)])
    assert " !" in markdown.main_table(board).splitlines()[2]
    assert "! 60 invalid answers (10%)" in markdown.task_table(board.tasks[0])
    assert "*!" in terminal.render(board)
