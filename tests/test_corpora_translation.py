"""The translation corpus: correct Spanish, fair splits, and texts that teach the words but not the rows."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
import sacrebleu

from tasks.corpora import draw, translation
from tasks.corpora.translation_grammar import Phrase
from tasks.corpora.translation_lexicon import whole_lexicon
from tasks.corpora.translation_sentences import Drawer
from tests.translation_oracle import translate

LEXICON = whole_lexicon()
DOCUMENTS = 8_000
WORD = re.compile(r"[a-záéíóúñü]+")

BY_HAND = """
    the boy sees the red house. | el niño ve la casa roja.
    the boy sees the dog. | el niño ve al perro.
    the girl helps two old women. | la niña ayuda a dos mujeres viejas.
    the thief did not steal the golden crown. | el ladrón no robó la corona de oro.
    my aunt is going to buy a new dress tomorrow. | mi tía va a comprar un vestido nuevo mañana.
    the farmer has three black horses. | el granjero tiene tres caballos negros.
    i want to eat cold fish. | quiero comer pescado frío.
    i do not know your house. | -
    i need these flowers. | necesito estas flores.
    she never drinks milk. | ella nunca bebe leche.
    the queen always reads the letters. | la reina siempre lee las cartas.
    he cannot open the door. | él no puede abrir la puerta.
    they have to clean the kitchen. | ellos tienen que limpiar la cocina.
    the woman is tired. | la mujer está cansada.
    the mountain is very beautiful. | la montaña es muy hermosa.
    my brothers were tired. | mis hermanos estaban cansados.
    the keys are dirty but the box is clean. | las llaves están sucias pero la caja está limpia.
    the glass is on the table. | el vaso está sobre la mesa.
    the cat was under the bed. | el gato estaba bajo la cama.
    the car is next to the hotel. | el coche está al lado del hotel.
    the bear is near the river. | el oso está cerca del río.
    the student is in front of the school. | el estudiante está delante de la escuela.
    my uncle's dog sleeps in the garden. | el perro de mi tío duerme en el jardín.
    the king's white horse is fat. | el caballo blanco del rey es gordo.
    the actor went to the theater. | el actor fue al teatro.
    the driver came from the airport. | el conductor vino del aeropuerto.
    the pilot arrived at the station yesterday. | el piloto llegó a la estación ayer.
    the man who sells flowers is rich. | el hombre que vende flores es rico.
    the book that the girl reads is long. | el libro que la niña lee es largo.
    the boy cries when he loses the toy. | -
    the witch slept because she was tired. | la bruja durmió porque ella estaba cansada.
    does the painter need the map? | ¿necesita el pintor el mapa?
    did the soldiers see the princess? | ¿vieron los soldados a la princesa?
    is the soup hot? | ¿está caliente la sopa?
    is the wolf in the forest? | ¿está el lobo en el bosque?
    where is the blue lamp? | ¿dónde está la lámpara azul?
    what did the writer buy yesterday? | ¿qué compró el escritor ayer?
    who broke the window? | ¿quién rompió la ventana?
    who does the judge call? | ¿a quién llama el juez?
    why is the girl sad? | ¿por qué está triste la niña?
    when did your friend arrive? | -
    when did the tourist visit the castle? | ¿cuándo visitó el turista el castillo?
    how many songs does the actress know? | ¿cuántas canciones conoce la actriz?
    the girl likes the garden. | a la niña le gusta el jardín.
    the teachers do not like these songs. | a los maestros no les gustan estas canciones.
    does the baker like the bread? | ¿le gusta al panadero el pan?
    there are five trees in the park. | hay cinco árboles en el parque.
    is there a bird on the chair? | ¿hay un pájaro sobre la silla?
    my sister is twelve years old. | mi hermana tiene doce años.
    the dogs are hungry. | los perros tienen hambre.
    the tower is as tall as the church. | la torre es tan alta como la iglesia.
    the train is more expensive than the bus. | el tren es más caro que el autobús.
    the doctor saved her. | el médico la salvó.
    her mother does not hear me. | su madre no me oye.
    the hunter found nothing. | el cazador no encontró nada.
    nobody lives in the castle. | nadie vive en el castillo.
    our good friends follow the king. | -
    a good man saved the same bird. | un buen hombre salvó al mismo pájaro.
    the first letter is in another box. | la primera carta está en otra caja.
    every child reads. | -
    a young student wrote many letters for her father. | un estudiante joven escribió muchas cartas para su padre.
"""
"""Sentences translated by a person; `-`: outside the grammar or the lexicon, so that it must be refused."""

IRREGULAR = """
    see ve ven vio vieron; have tiene tienen tuvo tuvieron; go va van fue fueron; sleep duerme duermen durmió durmieron
    read lee leen; bring trajo trajeron; know conoce conocen; close cerró cerraron; hear oye oyen
    open abre abren abrió abrieron; eat come comen comió comieron
    buy compra compran compró compraron; write escribe escriben escribió escribieron
"""


@pytest.fixture(scope="module")
def corpus() -> draw.Corpus:
    return translation.corpus()


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return list(itertools.islice(translation.texts(), DOCUMENTS))


def sampled(count: int) -> Iterator[Phrase]:
    drawer = Drawer(LEXICON, draw.generator("test", "translation"))
    return (drawer.sentence() for _ in range(count))


def pairs_by_hand() -> list[tuple[str, str]]:
    lines = (line.strip().split(" | ") for line in BY_HAND.strip().splitlines())
    return [(english, spanish) for english, spanish in lines]


# the rows


def test_splits_have_their_sizes_and_rows_the_schema(corpus: draw.Corpus) -> None:
    assert {split: len(rows) for split, rows in corpus.items()} == translation.SIZES
    for row in itertools.chain.from_iterable(corpus.values()):
        assert list(row) == ["source", "target", "phenomena"]
        assert row["phenomena"]
        assert set(row["phenomena"]) <= set(translation.PHENOMENA)
        assert row["source"].isascii()
        assert row["source"] == row["source"].lower()
        assert row["source"][-1] in ".?"
        assert row["target"].startswith("¿") == row["source"].endswith("?")
        assert 4 <= len(row["source"].split()) <= 11


def test_same_seed_gives_same_bytes_in_any_process(corpus: draw.Corpus) -> None:
    code = (
        "import itertools; from tasks.corpora import draw, translation as t;"
        "print(draw.content_hash(t.corpus())); print(draw.content_hash({'': list(itertools.islice(t.texts(), 200))}))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": number}, capture_output=True, text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    }
    assert len(runs) == 1
    assert runs.pop().split()[0] == draw.content_hash(corpus)


def test_another_seed_gives_other_rows_and_texts() -> None:
    assert translation.corpus(1)["train"] != translation.corpus(0)["train"]
    assert next(translation.texts(1)) != next(translation.texts(0))


def test_no_source_occurs_twice(corpus: draw.Corpus) -> None:
    sources = Counter(row["source"] for rows in corpus.values() for row in rows)
    assert max(sources.values()) == 1


def test_every_phenomenon_has_rows_to_measure_it(corpus: draw.Corpus) -> None:
    counts = Counter(name for row in corpus["test"] for name in row["phenomena"])
    assert min(counts[name] for name in translation.PHENOMENA) >= 30


# held-out words and pairs


def forms(lemma: str) -> set[str]:
    """The English forms of a lemma, without the preposition of "wait for"."""
    found = {lemma.split()[0]}
    found |= {noun.plurals[0] for noun in LEXICON.nouns if noun.lemma == lemma and noun.plurals}
    for verb in LEXICON.verbs:
        if verb.lemma == lemma:
            found |= {form.split()[0] for form in verb.forms()}
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_held_out_words_are_absent_from_train_and_from_the_other_split(seed: int) -> None:
    rows, lemmas = translation.corpus(seed), translation.held_out_lemmas(seed)
    words = {s: {w for row in rows[s] for w in WORD.findall(row["source"])} for s in draw.SPLITS}
    for split, strangers in (("validation", ("train", "test")), ("test", ("train", "validation"))):
        held = {form for lemma in lemmas[split] for form in forms(lemma)}
        for other in strangers:
            assert sorted(held & words[other]) == []
        share = [bool(held & set(WORD.findall(row["source"]))) for row in rows[split]]
        assert 0.52 <= sum(share) / len(share) <= 0.68
        assert share == ["unseen_word" in row["phenomena"] for row in rows[split]]


def test_about_a_tenth_of_the_lemmas_wait_for_validation_and_three_tenths_for_test() -> None:
    sizes = {split: len(lemmas) for split, lemmas in translation.held_out_lemmas().items()}
    total = sum(sizes.values())
    assert 0.07 <= sizes["validation"] / total <= 0.13
    assert 0.26 <= sizes["test"] / total <= 0.34


def test_held_out_pairs_are_of_known_words_and_marked(corpus: draw.Corpus) -> None:
    known = LEXICON.restrict(translation.held_out_lemmas()["train"])
    pairs = translation.held_out_pairs(known)
    described = {(a.lemma, n.lemma) for a in known.adjectives for n in known.nouns}
    held = {f"{adjective} {noun}" for adjective, noun in pairs["test"] if (adjective, noun) in described}

    def shown(split: str) -> list[list[str]]:
        return [row["phenomena"] for row in corpus[split] if any(f" {p}." in row["source"] for p in held)]

    assert not shown("train")
    assert not shown("validation")
    assert shown("test")
    assert all("unseen_combination" in names for names in shown("test"))


# the Spanish


@pytest.mark.parametrize(("english", "spanish"), pairs_by_hand())
def test_sentences_translated_by_hand_come_out_the_same(english: str, spanish: str) -> None:
    if spanish == "-":
        with pytest.raises((KeyError, ValueError, IndexError)):
            translate(english)
    else:
        assert translate(english) == spanish


@pytest.mark.parametrize("line", [entry.split() for entry in IRREGULAR.replace("\n", ";").split(";") if entry.strip()])
def test_verbs_have_their_irregular_forms(line: list[str]) -> None:
    verb = next(verb for verb in LEXICON.verbs if verb.base == line[0])
    assert [form for forms in verb.spanish.values() for form in forms[:2]] == line[1:]


def test_a_translator_that_reads_only_the_source_reaches_every_target(corpus: draw.Corpus) -> None:
    for row in itertools.chain.from_iterable(corpus.values()):
        assert translate(row["source"]) == row["target"]
    for sentence in sampled(3_000):
        assert translate(sentence.english) == sentence.spanish


def test_no_english_sentence_has_two_translations() -> None:
    targets: dict[str, str] = {}
    for sentence in sampled(30_000):
        assert targets.setdefault(sentence.english, sentence.spanish) == sentence.spanish


def test_articles_and_adjectives_agree_and_prepositions_contract() -> None:
    nouns = {noun.spanish: (noun.feminine, False) for noun in LEXICON.nouns}
    nouns |= {noun.plurals[1]: (noun.feminine, True) for noun in LEXICON.nouns if noun.plurals}
    articles = {"el": (0, 0), "la": (1, 0), "los": (0, 1), "las": (1, 1), "un": (0, 0), "una": (1, 0), "esta": (1, 0)}
    adjectives: dict[str, set[tuple[bool, bool]]] = {}
    for adjective in LEXICON.adjectives:
        for place, form in enumerate(adjective.spanish):
            adjectives.setdefault(form, set()).add((place % 2 == 1, place > 1))
    # "limpia" is "cleans" as well as "clean"
    for form in (form for verb in LEXICON.verbs for table in verb.spanish.values() for form in table):
        adjectives.pop(form, None)
    checked = 0
    for sentence in sampled(10_000):
        assert not re.search(r"\b(a|de) el\b", sentence.spanish)
        tokens = sentence.spanish.strip("¿?.").replace(" muy ", " ").split()
        for article, noun, after in itertools.zip_longest(tokens, tokens[1:], tokens[2:], fillvalue=""):
            if article in articles and noun in nouns:
                assert nouns[noun] == articles[article], sentence.spanish
                if after in adjectives:
                    assert nouns[noun] in adjectives[after], sentence.spanish
                    checked += 1
    assert checked > 500


def test_lexicon_pairs_one_word_with_one_word_inside_each_class() -> None:
    for table in (
        [(noun.english, noun.spanish) for noun in LEXICON.nouns],
        [(verb.base, verb.infinitive) for verb in LEXICON.verbs],
        [(adjective.english, adjective.spanish[0]) for adjective in LEXICON.adjectives],
    ):
        assert len({e for e, _ in table}) == len({s for _, s in table}) == len(table)


# the floors


def test_copying_the_source_or_repeating_one_target_scores_next_to_nothing(corpus: draw.Corpus) -> None:
    sources = [row["source"] for row in corpus["test"]]
    targets = [row["target"] for row in corpus["test"]]
    usual = Counter(row["target"] for row in corpus["train"]).most_common(1)[0][0]
    assert sacrebleu.corpus_bleu(sources, [targets]).score < 5
    assert sacrebleu.corpus_bleu([usual] * len(targets), [targets]).score < 10
    assert sacrebleu.corpus_bleu([translate(source) for source in sources], [targets]).score == pytest.approx(100)


# the texts


def test_texts_show_every_form_of_every_word_often(documents: list[str]) -> None:
    counts = Counter(word for document in documents for word in WORD.findall(document))
    wanted = {noun.english for noun in LEXICON.nouns} | {noun.spanish for noun in LEXICON.nouns}
    wanted |= {form for noun in LEXICON.nouns for form in noun.plurals}
    wanted |= {form for verb in LEXICON.verbs for table in verb.spanish.values() for form in table}
    wanted |= {form for a in LEXICON.adjectives for form in (a.english, *a.spanish) if " " not in form}
    wanted |= {form for lemma in LEXICON.lemmas() for form in forms(lemma)}
    rare = sorted(word for word in wanted if counts[word] < 10)
    assert not rare


@pytest.mark.parametrize("seed", [0, 1])
def test_texts_never_show_either_side_of_a_row(documents: list[str], seed: int) -> None:
    rows = translation.corpus(seed)
    sides = {row[side] for split in draw.SPLITS for row in rows[split] for side in ("source", "target")}
    bare = {side.strip("¿?.") for side in sides}
    # a row may neither stand alone nor be a clause of a longer sentence
    joints = "because|when|and|but|then|later|one day|in the end|porque|cuando|y|pero|luego|más tarde|un día|al final"
    pieces = (
        part
        for document in documents
        for piece in re.split(r" ; | - | = | => | -> |(?<=[.?:]) |: |\"", document)
        for part in [piece, *re.split(rf"(?:^| )(?:{joints}) ", piece)]
    )
    shown = sorted({piece for piece in pieces if piece.strip("¿?.") in bare})
    assert not shown


def test_documents_are_short_and_mostly_bilingual(documents: list[str]) -> None:
    sizes = sorted(len(document.split()) for document in documents)
    assert 30 <= sum(sizes) / len(sizes) <= 60
    assert sizes[len(sizes) // 50] >= 18
    assert sizes[-1] <= 100
    signs = ("english", "spanish", " = ", ": ")
    assert 0.55 <= sum(any(sign in d for sign in signs) for d in documents) / len(documents) <= 0.75


def test_rows_survive_json(corpus: draw.Corpus) -> None:
    assert json.loads(json.dumps(corpus)) == corpus
