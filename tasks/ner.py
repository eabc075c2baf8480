"""Named entities in a sentence, as one IOB2 tag a token.

The hub source is CoNLL-2003 (Tjong Kim Sang and De Meulder 2003), from a copy that needs no loading script.
"""

from bench.spec import Bundled, Files, Head, Hub, Task

TASK = Task(
    name="ner",
    title="Named entities",
    version=1,
    head=Head.TAG,
    metric="entity_f1",
    schema={"tokens": "tokens", "tags": "tags"},
    inputs=("tokens",),
    reference="tags",
    sources={
        "bundled": Bundled("ner", sha256="a6be66405a9369b42578a50257398cbf82954e6c1d46a160c1b948a816d56ca6"),
        "hub": Hub(
            id="tomaarsen/conll2003",
            config=None,
            columns={"tokens": "tokens", "ner_tags": "tags"},
            splits={"train": "train[:4000]", "validation": "validation[:1000]", "test": "test"},
        ),
        "files": Files(),
    },
    input_tokens=96,
    floors=("all_outside", "most_frequent_tag"),
)
