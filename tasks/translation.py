"""Translation of a sentence, from English into Spanish (with your own files: of any pair).

The hub source is the English-Spanish part of OPUS Books (Tiedemann 2012). It has one split, book after book: the
slices for training are spread over many books, those for validation and test lie behind all of them.
"""

from bench.spec import Bundled, Files, Head, Hub, Task

TASK = Task(
    name="translation",
    title="Translation",
    version=1,
    head=Head.GENERATE,
    metric="bleu",
    schema={"source": "text", "target": "text"},
    inputs=("source",),
    reference="target",
    sources={
        "bundled": Bundled("translation", sha256="876bef9492eb9602a87c6eb6a3fdab3b851775e7641e2a54b67343ae994c2f55"),
        "hub": Hub(
            id="Helsinki-NLP/opus_books",
            config="en-es",
            columns={"en": "source", "es": "target"},
            splits={
                "train": "+".join(f"train[{start}:{start + 500}]" for start in range(0, 80_000, 10_000)),
                "validation": "train[84000:84500]",
                "test": "train[90000:91000]",
            },
            revision="1f9f6191d0e91a3c539c2595e2fe48fc1420de9b",
            convert="unnest_translation",
        ),
        "files": Files(),
    },
    input_tokens=64,
    output_tokens=64,
    floors=("copy_source", "most_frequent_target"),
    prompt="translate English to Spanish: ",
    cue=" =",
)
