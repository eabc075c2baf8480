"""The bundled summarization corpus: its rows, its held-out words, and that reading gives the summary."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from itertools import islice

import pytest

from tasks.corpora import summarization, town_words
from tasks.corpora import summarization_words as phrases
from tasks.corpora.draw import Corpus, Row, content_hash
from tasks.corpora.town import lexicons

CANONICAL = {form: forms[1] for forms in town_words.CONCEPTS for form in forms}
PLACES = "|".join(town_words.PLACES)
PLACE = re.compile(
    rf"\b(?:at|near|behind|beside|to) the (?:\w+ )?(?:{PLACES})\b(?! (?:{'|'.join(town_words.BODIES)})\b)"
)
TIME = re.compile(
    rf"\b(?:on (?:{'|'.join(town_words.DAYS)})|at (?:{'|'.join(town_words.HOURS)}) o'clock"
    rf"|at (?:{'|'.join(town_words.MOMENTS)})|in (?:{'|'.join(town_words.SEASONS)})"
    rf"|(?:before|after) (?:{'|'.join(town_words.MEALS)})|in the (?:morning|afternoon|evening))\b"
)
NAMES = "|".join(town_words.WOMEN + town_words.MEN)
ACTOR = re.compile(
    rf"\b(?:the (?:{PLACES}) (?:{'|'.join(town_words.BODIES)})"
    rf"|the (?:{'|'.join(town_words.TRADES + town_words.CAUSES)})|{NAMES})\b"
)
QUALITY = "|".join(town_words.COLOURS + town_words.QUALITIES)
THING = re.compile(rf"\b(?:\w+ )(?:(?:{QUALITY}) )?(?:{'|'.join(town_words.THINGS + town_words.GOODS)}|{PLACES})\b")
COUNT = re.compile(rf"\b(?:{'|'.join(town_words.NUMBERS)})\b")


def pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "(.+)", re.escape(phrase.rstrip("."))) + "$")


CONTINUED = [pattern(p) for p in (*phrases.LATER_DETAIL, *phrases.LATER_ACTOR, *phrases.LATER_COUNT)]
FINISHED = [pattern(p.replace("{tail}", "")) for p in phrases.IT_WAS_DONE]
RETURNED = [pattern(p) for p in phrases.RETURNS]
FILLERS = {p.rstrip(".") for p in town_words.WEATHER + town_words.SMALL_TALK + phrases.GREETINGS}


def main_sentences(document: str) -> str:
    """The sentences that tell the main event, found by its cue."""
    sentences = document.rstrip(".").split(". ")
    found = (_cue_at(sentences, number) for number in range(len(sentences)))
    at = next(number for number in found if number is not None)
    later = sentences[at + 1] if at + 1 < len(sentences) else ""
    goes_on = later not in FILLERS and not any(p.match(later) for p in RETURNED)
    goes_on = goes_on and any(p.match(later) for p in CONTINUED + FINISHED)
    return f"{sentences[at]}. {later}" if goes_on else sentences[at]


def _cue_at(sentences: list[str], number: int) -> int | None:
    """Where the main event begins if sentence `number` holds its cue."""
    sentence = sentences[number]
    if sentence.startswith(phrases.ANNOUNCEMENTS + phrases.CROWDS):
        return number
    if f"{sentence}." in phrases.CONSEQUENCES:
        told_before = any(p.match(sentences[number - 1]) for p in CONTINUED + FINISHED)
        return number - 1 - told_before
    for returned in RETURNED:
        if (found := returned.match(sentence)) and found[1].split()[-1] in _NOUNS:
            noun = re.compile(rf"\b{found[1].split()[-1]}\b(?! (?:{'|'.join(town_words.BODIES)})\b)")
            return next(n for n, other in enumerate(sentences) if noun.search(PLACE.sub("", other)))
    return None


_NOUNS = {*town_words.THINGS, *town_words.GOODS, *town_words.PLACES}


def oracle(row: Row) -> str:
    """The summary found by reading the report with the word lists."""
    text = main_sentences(row["document"])
    for lead in phrases.ANNOUNCEMENTS + phrases.CROWDS + phrases.ASIDES:
        text = text.replace(lead, "")
    place, time = PLACE.search(text), TIME.search(text)
    text = TIME.sub("", PLACE.sub("", text))
    actor = ACTOR.search(text)
    thing = THING.search(ACTOR.sub("", text))
    verb = next((CANONICAL[word] for word in re.findall(r"\w+", text) if word in CANONICAL), "")
    what = thing[0] if thing else ""
    if what.startswith("some ") and (number := COUNT.search(text)):
        what = what.replace("some", number[0])
    found = (actor and actor[0], verb, what, place and re.sub("^to", "at", place[0]), time and time[0])
    return " ".join(part for part in found if part) + "."


def rouge_l(guess: str, gold: str) -> float:
    """F1 of the longest common subsequence of words."""
    one, two = re.findall(r"\w+", guess), re.findall(r"\w+", gold)
    lengths = [0] * (len(two) + 1)
    for word in one:
        before = 0
        for column, other in enumerate(two, 1):
            here = lengths[column]
            lengths[column] = before + 1 if word == other else max(here, lengths[column - 1])
            before = here
    return 2 * lengths[-1] / (len(one) + len(two))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.fixture(scope="module")
def rows() -> Corpus:
    return summarization.corpus()


def every(rows: Corpus) -> list[Row]:
    return [row for split in rows.values() for row in split]


def test_sizes(rows: Corpus) -> None:
    assert {split: len(part) for split, part in rows.items()} == {"train": 1500, "validation": 300, "test": 600}


def test_same_seed_same_bytes_whatever_the_hash_seed(rows: Corpus) -> None:
    code = "from tasks.corpora import summarization, draw; print(draw.content_hash(summarization.corpus()))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert content_hash(summarization.corpus()) == content_hash(rows) == other.stdout.strip()


def test_another_seed_gives_other_rows(rows: Corpus) -> None:
    assert content_hash(summarization.corpus(1)) != content_hash(rows)


def test_no_document_occurs_twice(rows: Corpus) -> None:
    documents = [row["document"] for row in every(rows)]
    assert len(set(documents)) == len(documents)


def test_rows_have_the_schema_and_their_lengths(rows: Corpus) -> None:
    for row in every(rows):
        assert set(row) == {"document", "summary", "phenomena"}
        text = row["document"] + row["summary"]
        assert text.isascii()
        assert text == text.lower()
        assert 35 <= len(row["document"].split()) <= 60
        assert 7 <= len(row["summary"].split()) <= 14
        assert 4 <= row["document"].count(".") <= 7


def test_each_row_has_one_position_and_every_phenomenon_is_frequent(rows: Corpus) -> None:
    for part in rows.values():
        found = Counter(tag for row in part for tag in row["phenomena"])
        assert set(found) == {"lead", "middle", "late", "two_part", "paraphrase", "number", "noisy"}
        assert found["lead"] + found["middle"] + found["late"] == len(part)
        assert min(found.values()) >= 0.1 * len(part)


def held_words(split: str) -> set[str]:
    return lexicons(0)[split].forms()


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def test_held_out_words_are_absent_from_the_other_splits(rows: Corpus) -> None:
    for split, others in {"test": ("train", "validation"), "validation": ("train", "test")}.items():
        for other in others:
            assert not held_words(split) & set().union(*(words_of(row["document"]) for row in rows[other]))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_most_summaries_need_words_that_training_never_shows(rows: Corpus, split: str) -> None:
    new = held_words(split)
    assert mean([len(new & words_of(row["summary"])) >= 3 for row in rows[split]]) > 0.55


def test_fillers_and_cues_use_no_held_out_word() -> None:
    fixed = {name: value for name, value in vars(phrases).items() if name.isupper()}
    texts = [*town_words.WEATHER, *town_words.SMALL_TALK, *(text for group in fixed.values() for text in group)]
    assert not words_of(" ".join(texts)) & held_words("all")


def test_no_word_is_in_two_lists() -> None:
    lists = [value for name, value in vars(town_words).items() if name in _LISTS]
    forms = [form for forms in town_words.CONCEPTS for form in forms]
    found = Counter([*(word for words in lists for word in words), *forms])
    assert [word for word, times in found.items() if times > 1] == []


_LISTS = (
    "WOMEN MEN TRADES THINGS GOODS PLACES COLOURS QUALITIES NUMBERS DAYS MOMENTS SEASONS MEALS CAUSES BODIES".split()
)


def test_reading_gives_nearly_every_summary(rows: Corpus) -> None:
    for part in rows.values():
        assert mean([rouge_l(oracle(row), row["summary"]) for row in part]) >= 0.97
        assert mean([oracle(row) == row["summary"] for row in part]) >= 0.95


def test_the_first_and_the_last_sentence_are_poor_summaries(rows: Corpus) -> None:
    for at in (0, -1):
        picked = [(row["document"].rstrip(".").split(". ")[at], row["summary"]) for row in rows["test"]]
        assert mean([rouge_l(sentence, summary) for sentence, summary in picked]) < 0.4


def test_texts_hold_every_word_of_the_town() -> None:
    assert held_words("all") <= words_of(" ".join(islice(summarization.texts(), 20_000)))


def test_texts_never_tell_a_labelled_document(rows: Corpus) -> None:
    documents = {row["document"] for row in every(rows)}
    for text in islice(summarization.texts(), 20_000):
        assert text.partition(" in short: ")[0] not in documents
        assert text.partition(" report: ")[2] not in documents


def test_most_texts_tell_their_own_summary() -> None:
    texts = list(islice(summarization.texts(), 2_000))
    assert mean([" in short: " in text or text.startswith("headline: ") for text in texts]) > 0.8


def test_texts_depend_on_the_seed_alone() -> None:
    def first(seed: int) -> list[str]:
        return list(islice(summarization.texts(seed), 50))

    assert first(3) == first(3) != first(4)


def test_texts_are_short() -> None:
    lengths = [float(len(text.split())) for text in islice(summarization.texts(), 5_000)]
    assert max(lengths) <= 110
    assert 30 <= mean(lengths) <= 55
