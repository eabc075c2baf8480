"""`python -m tasks.corpora`: the content hash and the sizes of every bundled corpus, to pin in its task."""

from __future__ import annotations

from importlib import import_module

from tasks.corpora.draw import content_hash

CORPORA = ("sentiment", "ner", "qa", "translation", "summarization")


def main() -> None:
    """Print one line a corpus: name, hash, rows a split."""
    for name in CORPORA:
        corpus = import_module(f"tasks.corpora.{name}").corpus()
        print(f"{name:14}", content_hash(corpus), {split: len(rows) for split, rows in corpus.items()})  # noqa: T201 - a command


if __name__ == "__main__":
    main()
