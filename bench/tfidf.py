"""A logistic regression on TF-IDF weights of words, as a program: JSON on standard input and on standard output.

Knows texts and labels; nothing of tasks. Imports nothing of the harness, so that it can run as a file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence


def labels(texts: Sequence[str], known: Sequence[str], asked: Sequence[str], word: str) -> list[str]:
    """A label for each text of `asked`, learnt from `texts` with their `known` labels.

    Words (what matches the pattern `word`) and pairs of them, sublinear counts and inverse regularisation 10, as is
    usual for short texts (Wang and Manning 2012 is the classic of such baselines); nothing is tuned.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(token_pattern=word, ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=10, max_iter=1000).fit(words.fit_transform(texts), known)
    return [str(label) for label in model.predict(words.transform(asked))]


if __name__ == "__main__":
    told = json.load(sys.stdin)
    json.dump(labels(told["texts"], told["labels"], told["asked"], told["word"]), sys.stdout)
