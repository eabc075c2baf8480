"""The name world: sizes, splits, tags, solvability, and what its texts may say."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from tasks.corpora import ner
from tasks.corpora.draw import Corpus, Row, content_hash
from tasks.corpora.ner_words import FILLERS, FIRM_AFTER, GROUPS, PLACE_AFTER, PLACE_BEFORE, PRODUCT_AFTER, TYPED

SHAPES = dict(zip(GROUPS, ("GI", "SU", "PL", "FI", "PR", "AL", "AF"), strict=True))
SHAPE = {name: SHAPES[group] for group, names in GROUPS.items() for name in names}
AMBIGUOUS = {"AL": {"PER": "GI", "LOC": "PL"}, "AF": {"PER": "GI", "ORG": "FI"}}


def either(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"


FORMS = {
    "ORG": rf"(?:bank|university) of PL|FI school of music|FI and sons|FI {either(FIRM_AFTER)}|FI FI|FI",
    "LOC": rf"{either(PLACE_BEFORE)} PL|PL {either(PLACE_AFTER)}|PL",
    "PROD": rf"PR {either(PRODUCT_AFTER)}|PR",
    "PER": r"GI GI SU|GI SU|GI GI|SU|GI",
}
MENTION = re.compile("|".join(rf"(?P<{type_}>\b(?:{form})\b)" for type_, form in FORMS.items()))


def _pattern(sentence: str) -> re.Pattern[str]:
    """A telling sentence as a pattern over shapes; group names end in the type of their slot."""
    parts = []
    for place, token in enumerate(sentence.split()):
        if token in FILLERS:
            parts.append(either(FILLERS[token]))
        elif token in ner.NAME_SLOTS:
            parts.append(rf"(?P<s{place}_{'PER' if token == 'SUR' else token}>\S+(?: \S+){{0,3}}?)")
        else:
            parts.append("an?" if token == "a" else re.escape(token))
    return re.compile(rf"(?<!\S){' '.join(parts)}(?!\S)")


PATTERNS = [_pattern(sentence) for key, sentences in TYPED.items() if key != "adjacent" for sentence in sentences]


def settle(shape: str) -> str:
    """Ambiguous shapes replaced by what the sentence around them says they are."""
    for pattern in PATTERNS:
        for match in pattern.finditer(shape):
            for slot, text in match.groupdict().items():
                for ambiguous, meaning in AMBIGUOUS.items():
                    type_ = slot.split("_")[1]
                    if ambiguous in text.split() and type_ in meaning:
                        start = match.start(slot) + text.index(ambiguous)
                        return settle(f"{shape[:start]}{meaning[type_]}{shape[start + 2 :]}")
    return shape


def oracle(tokens: list[str]) -> list[str]:
    """Tags from the word lists, and for an ambiguous name from its sentence."""
    shape = settle(" ".join(SHAPE.get(token, token) for token in tokens))
    tags = ["O"] * len(tokens)
    for match in MENTION.finditer(shape):
        start = shape[: match.start()].count(" ")
        for place in range(match.group().count(" ") + 1):
            tags[start + place] = f"{'I' if place else 'B'}-{match.lastgroup}"
    return tags


def spans(tags: list[str]) -> set[tuple[int, int, str]]:
    found, start = set(), 0
    for place, label in enumerate([*tags, "O"]):
        if not label.startswith("I") and place and tags[place - 1] != "O":
            found.add((start, place, tags[start][2:]))
        if label.startswith("B"):
            start = place
    return found


def f1(rows: list[Row], predicted: list[list[str]]) -> float:
    gold = {(i, *span) for i, row in enumerate(rows) for span in spans(row["tags"])}
    guess = {(i, *span) for i, tags in enumerate(predicted) for span in spans(tags)}
    return 2 * len(gold & guess) / (len(gold) + len(guess))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return ner.corpus()


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return list(itertools.islice(ner.texts(), 6000))


def test_every_split_has_its_size(corpus: Corpus) -> None:
    assert {split: len(rows) for split, rows in corpus.items()} == ner.SIZES


def test_same_seed_same_bytes_in_any_process(corpus: Corpus) -> None:
    code = (
        "from tasks.corpora import ner; from tasks.corpora.draw import content_hash;"
        "print(content_hash(ner.corpus()), next(ner.texts(3)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == f"{content_hash(corpus)} {next(ner.texts(3))}"
    assert content_hash(ner.corpus(1)) != content_hash(corpus)


def test_no_sentence_occurs_twice(corpus: Corpus) -> None:
    sentences = [tuple(row["tokens"]) for rows in corpus.values() for row in rows]
    assert len(set(sentences)) == len(sentences)


def test_rows_have_the_schema_the_length_and_one_to_three_names(corpus: Corpus) -> None:
    for row in itertools.chain.from_iterable(corpus.values()):
        assert set(row) == {"tokens", "tags", "phenomena"}
        assert row["phenomena"]
        assert ner.SHORTEST <= len(row["tokens"]) == len(row["tags"]) <= ner.LONGEST
        assert all(re.fullmatch(r"[a-z]+|[,.;]", token) for token in row["tokens"])
        assert 1 <= sum(label[0] == "B" for label in row["tags"]) <= ner.MOST_NAMES


def test_tags_are_valid_iob2(corpus: Corpus) -> None:
    for row in itertools.chain.from_iterable(corpus.values()):
        for before, label in itertools.pairwise(["O", *row["tags"]]):
            assert label == "O" or label[2:] in ner.TYPES
            assert label[0] != "I" or before[2:] == label[2:]


def test_names_are_in_one_group_and_are_no_ordinary_words() -> None:
    names = [name for group in GROUPS.values() for name in group]
    ordinary = {word for lines in (*TYPED.values(), *FILLERS.values()) for line in lines for word in line.split()}
    assert len(set(names)) == len(names)
    assert not set(names) & ordinary


def test_no_type_is_rare(corpus: Corpus) -> None:
    for rows in corpus.values():
        types = Counter(label[2:] for row in rows for label in row["tags"] if label[0] == "B")
        assert min(types[type_] / types.total() for type_ in ner.TYPES) > 0.15


def test_held_out_names_are_absent_from_train_and_from_each_other(corpus: Corpus) -> None:
    seen = {split: {token for row in rows for token in row["tokens"]} for split, rows in corpus.items()}
    own = {split: set(itertools.chain(*names.values())) for split, names in ner.name_splits().items()}
    assert not seen["train"] & (own["validation"] | own["test"])
    assert not seen["validation"] & own["test"]
    assert not seen["test"] & own["validation"]


def test_three_in_five_test_rows_have_unseen_names_alone(corpus: Corpus) -> None:
    own = set(itertools.chain(*ner.name_splits()["test"].values()))
    unseen = [all(token in own for token in row["tokens"] if token in SHAPE) for row in corpus["test"]]
    assert 0.58 <= sum(unseen) / len(unseen) <= 0.62
    assert unseen == ["unseen_name" in row["phenomena"] for row in corpus["test"]]


def test_half_of_the_rows_do_not_tell_the_type_and_have_no_ambiguous_name(corpus: Corpus) -> None:
    bare = [row for row in corpus["test"] if "bare_context" in row["phenomena"]]
    assert 0.47 <= len(bare) / len(corpus["test"]) <= 0.53
    assert not [row for row in bare if "ambiguous_name" in row["phenomena"]]


def test_a_reader_who_knows_the_names_solves_every_split(corpus: Corpus) -> None:
    for rows in corpus.values():
        assert f1(rows, [oracle(row["tokens"]) for row in rows]) >= 0.97


def test_a_name_of_every_strange_word_and_the_commonest_type_is_a_low_floor(corpus: Corpus) -> None:
    commonest = Counter(t for row in corpus["train"] for t in row["tags"] if t[0] == "B").most_common(1)[0][0]
    guesses = [[commonest if token in SHAPE else "O" for token in row["tokens"]] for row in corpus["test"]]
    assert f1(corpus["test"], guesses) < 0.35


def test_texts_show_every_name_soon(documents: list[str]) -> None:
    counts = Counter(word for document in documents for word in re.findall(r"[a-z]+", document))
    assert min(counts[name] for name in SHAPE) >= 5


def test_texts_never_repeat_a_row(documents: list[str]) -> None:
    said = {sentence for document in documents for sentence in re.split(r"(?<=[.?]) ", document)}
    for seed in (0, 5):
        rows = {ner.prose(row["tokens"]) for rows in ner.corpus(seed).values() for row in rows}
        assert not rows & said


def test_documents_are_short_and_lower_case(documents: list[str]) -> None:
    for document in documents:
        assert 20 <= len(document.split()) <= 90
        assert re.fullmatch(r"[a-z ,.;:?]+", document)


def test_another_seed_gives_other_texts() -> None:
    assert next(ner.texts(0)) != next(ner.texts(1))
