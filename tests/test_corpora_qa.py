"""The bundled question-answering corpus: its rows, its held-out words, and that reading answers it, not guessing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from typing import NamedTuple

import pytest

from tasks.corpora import qa, town_words
from tasks.corpora.draw import Corpus, Row, content_hash
from tasks.corpora.town import lexicons

NAMES = set(town_words.WOMEN + town_words.MEN)
VERBS = {form: number for number, forms in enumerate(town_words.CONCEPTS) for form in forms}
NOUNS = town_words.THINGS + town_words.GOODS
QUALITY = f"(?:{'|'.join(town_words.COLOURS + town_words.QUALITIES)})"

PLACE = re.compile(rf"\b(?:at|near|behind|beside|to) the (?:\w+ )?(?:{'|'.join(town_words.PLACES)})\b")
TIME = re.compile(
    rf"\b(?:on (?:{'|'.join(town_words.DAYS)})|at (?:{'|'.join(town_words.HOURS)}) o'clock"
    rf"|at (?:{'|'.join(town_words.MOMENTS)})|in (?:{'|'.join(town_words.SEASONS)})"
    rf"|(?:before|after) (?:{'|'.join(town_words.MEALS)})|in the (?:morning|afternoon|evening))\b"
)
WHOM = re.compile(rf"\bfor (the (?:{'|'.join(town_words.TRADES)}))\b")
REASON = re.compile(r"\bbecause of (the \w+)\b")
THING = re.compile(rf"\b(?:(\w+) )?(?:({QUALITY}) )?({'|'.join(NOUNS)})\b")
ACTOR = re.compile(rf"\b(?:{'|'.join(sorted(NAMES))}|the (?:{'|'.join(town_words.TRADES)}))\b")


class Read(NamedTuple):
    """What the oracle reads off a clause or a question."""

    actor: str
    concept: int
    thing: str
    number: str
    quality: str
    noun: str
    place: str
    time: str
    whom: str
    reason: str


def read(clause: str, default_actor: str = "") -> Read:
    place, time, whom, reason = (_found(pattern, clause) for pattern in (PLACE, TIME, WHOM, REASON))
    thing = THING.search(clause)
    number = thing[1] if thing and thing[1] in town_words.NUMBERS else ""
    actor = ACTOR.search(WHOM.sub("", clause))
    return Read(
        actor=actor[0] if actor else default_actor,
        concept=next((VERBS[word] for word in re.findall(r"\w+", clause) if word in VERBS), -1),
        thing=thing[0] if thing else "",
        number=number,
        quality=(thing[2] or "") if thing else "",
        noun=thing[3] if thing else "",
        place=re.sub("^to", "at", place),
        time=time,
        whom=whom,
        reason=reason,
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[found.re.groups] if found else ""


def read_all(context: str) -> list[Read]:
    """The events of a passage; a clause that names nobody is about whoever was named last."""
    events: list[Read] = []
    for sentence in context.split("."):
        for clause in _clauses(sentence):
            if any(word in VERBS for word in re.findall(r"\w+", clause)):
                events.append(read(clause, events[-1].actor if events else ""))
    return events


def _clauses(sentence: str) -> list[str]:
    for joint in (", while ", ", but ", ", and ", " and "):
        parts = sentence.split(joint)
        if len(parts) == 2 and all(any(word in VERBS for word in part.split()) for part in parts):
            return parts
    return [sentence]


ASKED = {
    "count": r"how many|what number",
    "whom": r"for whom|^who did .* for\b",
    "reason": r"why|reason|what made|because of what",
    "place": r"where|what place",
    "time": r"when|what time",
    "thing": r"what",
}


def told(event: Read, role: str) -> str:
    return event.number if role == "count" else str(getattr(event, role))


def oracle(row: Row) -> str:
    """The answer found by reading question and context with the word lists."""
    question = row["question"]
    role = next((role for role, words in ASKED.items() if re.search(words, question)), "actor")
    asked = read(question)
    keys = [
        key for key in ("actor", "concept", "noun", "quality", "place", "time") if getattr(asked, key) not in ("", -1)
    ]
    for event in read_all(row["context"]):
        if all(getattr(event, key) == getattr(asked, key) for key in keys):
            return told(event, role)
    return ""


def f1(answer: str, row: Row) -> float:
    """Overlap of words with the nearest accepted answer, articles and prepositions of place left out."""

    def bag(text: str) -> Counter[str]:
        return Counter(word for word in text.split() if word not in ("a", "an", "the", "at", "on", "in"))

    def one(gold: str) -> float:
        shared = (bag(answer) & bag(gold)).total()
        return 2 * shared / (bag(answer).total() + bag(gold).total()) if shared else 0.0

    return max(one(gold) for gold in row["answers"]["text"])


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.fixture(scope="module")
def rows() -> Corpus:
    return qa.corpus()


def every(rows: Corpus) -> list[Row]:
    return [row for split in rows.values() for row in split]


def test_sizes(rows: Corpus) -> None:
    assert {split: len(part) for split, part in rows.items()} == {"train": 1500, "validation": 300, "test": 600}


def test_same_seed_same_bytes_whatever_the_hash_seed(rows: Corpus) -> None:
    code = "from tasks.corpora import qa, draw; print(draw.content_hash(qa.corpus()))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert content_hash(qa.corpus()) == content_hash(rows) == other.stdout.strip()


def test_another_seed_gives_other_rows(rows: Corpus) -> None:
    assert content_hash(qa.corpus(1)) != content_hash(rows)


def test_no_context_occurs_twice(rows: Corpus) -> None:
    contexts = [row["context"] for row in every(rows)]
    assert len(set(contexts)) == len(contexts)


def test_rows_follow_the_squad_layout(rows: Corpus) -> None:
    assert len({row["id"] for row in every(rows)}) == 2400
    for row in every(rows):
        assert set(row) == {"id", "context", "question", "answers", "phenomena"}
        assert len(row["answers"]["text"]) == len(row["answers"]["answer_start"]) >= 1
        assert row["phenomena"]
        assert (row["context"] + row["question"]).isascii()
        assert row["context"] + row["question"] == (row["context"] + row["question"]).lower()


def test_every_answer_stands_where_its_start_says_as_whole_words(rows: Corpus) -> None:
    for row in every(rows):
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
            assert row["context"][start : start + len(text)] == text
            assert not row["context"][start + len(text)].isalpha()
            assert 1 <= len(text.split()) <= 4


def test_lengths_stay_within_their_limits(rows: Corpus) -> None:
    for row in every(rows):
        low, high = qa.LONG_WORDS if "long_context" in row["phenomena"] else qa.WORDS
        assert low <= len(row["context"].split()) <= high


def test_every_phenomenon_is_frequent_in_every_split(rows: Corpus) -> None:
    tags = {"plain", "distractor", "paraphrase", "coreference", "number", "long_context"}
    for part in rows.values():
        found = Counter(tag for row in part for tag in row["phenomena"])
        assert set(found) == tags
        assert min(found.values()) >= 0.05 * len(part)


def held_words(split: str) -> set[str]:
    return lexicons(0)[split].forms()


def words_of(row: Row) -> set[str]:
    return set(re.findall(r"\w+", f"{row['context']} {row['question']}"))


def test_held_out_words_are_absent_from_the_other_splits(rows: Corpus) -> None:
    for split, others in {"test": ("train", "validation"), "validation": ("train", "test")}.items():
        for other in others:
            assert not held_words(split) & set().union(*map(words_of, rows[other]))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_most_questions_hinge_on_words_that_training_never_shows(rows: Corpus, split: str) -> None:
    new = held_words(split)
    assert mean([bool(new & set(re.findall(r"\w+", row["question"]))) for row in rows[split]]) > 0.58


def test_reading_answers_nearly_every_question(rows: Corpus) -> None:
    for part in rows.values():
        assert mean([f1(oracle(row), row) for row in part]) >= 0.97


def test_trivial_answers_score_low(rows: Corpus) -> None:
    def first_sentence(row: Row) -> str:
        return str(row["context"]).split(".")[0]

    def first_name(row: Row) -> str:
        return _found(ACTOR, row["context"])

    def first_thing(row: Row) -> str:
        return _found(re.compile(r"\b(?:the|an?) \w+"), row["context"])

    for floor in (first_sentence, first_name, first_thing):
        assert mean([f1(floor(row), row) for row in rows["test"]]) < 0.2


def test_guessing_the_first_answer_of_the_right_kind_is_far_from_reading(rows: Corpus) -> None:
    def first_of_kind(row: Row) -> str:
        role = next((role for role, words in ASKED.items() if re.search(words, row["question"])), "actor")
        return next((answer for event in read_all(row["context"]) if (answer := told(event, role))), "")

    assert mean([f1(first_of_kind(row), row) for row in rows["test"]]) < 0.5


def test_texts_hold_every_word_of_the_town() -> None:
    found = set(re.findall(r"\w+", " ".join(islice(qa.texts(), 20_000))))
    assert held_words("all") <= found


def test_texts_never_tell_a_labelled_passage(rows: Corpus) -> None:
    contexts = {row["context"] for row in every(rows)}
    first_words = {context[:60]: context for context in contexts}
    for document in islice(qa.texts(), 20_000):
        for start in (0, document.find("? ") + 2, document.find("context: ") + 9):
            assert first_words.get(document[start : start + 60], "?!") not in document


def test_texts_depend_on_the_seed_alone() -> None:
    assert list(islice(qa.texts(3), 50)) == list(islice(qa.texts(3), 50)) != list(islice(qa.texts(4), 50))


def test_texts_are_short() -> None:
    lengths = [len(document.split()) for document in islice(qa.texts(), 5_000)]
    assert max(lengths) <= 110
    assert 30 <= mean([float(length) for length in lengths]) <= 50
