"""The README of an exported model: what it is, how it scored, and code that loads it.

Knows records and kept models; all foreign text is escaped here. The code is for one input at a time, which needs no
padding; tests run it.
"""

from __future__ import annotations

from string import Template
from typing import Any

from bench.keep import Kept
from bench.record import Record, Training
from bench.spec import Family, Head
from leaderboard import figures
from leaderboard.markdown import text


def render(record: Record, final: Training, kept: Kept, limit: int) -> str:
    """The card. `limit` is how many tokens of an input the model reads."""
    title = f"# {text(record.key)}, seed {final.seed}"
    parts = [_front_matter(record, kept), title, _what(record, kept), _facts(record, final), _command(kept)]
    code = _code(kept, limit) if kept.merged else None
    if code is not None:
        parts += ["Without this project, in this directory (transformers, torch, safetensors):", code, _remarks(kept)]
    elif kept.merged:
        parts.append(_without_code(kept))
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(record: Record, kept: Kept) -> str:
    lines = ["library_name: transformers"] if kept.merged else []
    if kept.revision is not None and record.checkpoint is not None:
        lines.append(f"base_model: {record.checkpoint.path}")
    return "\n".join(["---", *lines, "tags: [finetune-bench]", "---"])


def _what(record: Record, kept: Kept) -> str:
    made = f"Task {text(record.task)} ({record.head}), model {text(record.model)} ({record.family})"
    rows = ""
    if record.data is not None:
        synthetic = ", which are synthetic" if record.data.synthetic else ""
        rows = f" Trained on {record.data.train:,} rows of {text(record.source)} data{synthetic}."
    form = (
        "a plain checkpoint with the method folded into its weights" if kept.merged
        else "what the method stores; the network is built again around it"
    )
    return f"{made}, method {text(record.method)}.{rows} Here is {form}."


def _facts(record: Record, final: Training) -> str:
    scores = final.scores or {}
    interval = figures.interval(record.low, record.high)
    cell = [figures.score(record.score), f"95% interval {interval}" if interval else "", f"{len(record.finals)} seeds"]
    floors = [f"{text(name)} {figures.score(by.get(record.metric))}" for name, by in sorted(record.floors.items())]
    pairs = [
        (f"test {text(record.metric)} of this training", figures.score(scores.get(record.metric))),
        ("mean of the cell", ", ".join(part for part in cell if part)),
        ("of trivial answers", ", ".join(floors)),
        ("best validation score", figures.score(final.value)),
        ("learning rate", figures.rate(final.rate) if final.rate is not None else ""),
        *((f"chosen {text(name)}", text(str(value))) for name, value in final.choice.items()),
        ("test rows", f"{record.data.test:,}" if record.data else ""),
    ]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in pairs if value)])


def _command(kept: Kept) -> str:
    columns = ", ".join(f"`{column}`" for column in kept.task.inputs)
    return (
        f"## Use it\n\nWith this project, for rows with {columns} (.jsonl, .csv or .parquet), in the batches and the "
        f"precision ({kept.precision}) of the run:\n\n"
        "```bash\npython -m bench predict . rows.jsonl --out predictions.jsonl\n```\n\n"
        "or, in Python, `bench.learn.reload.load(Path(\".\")).predict(rows).predictions`."
    )


def _remarks(kept: Kept) -> str:
    said = ["Numbers are float32 here, so that single answers may differ from those of a run in bfloat16."]
    if _writes(kept):
        said.append("A warning that tied weights differ can be passed over: the method untied them, and both are kept.")
    else:
        said.append("A warning that a pooler is newly initialized can be passed over: no answer is read off it.")
    if _encoder_alone(kept):
        said.append("The decoder is the original checkpoint's and has no part in the answers.")
    if kept.task.head is Head.SPAN:
        said.append("A context that is too long is cut here; the command reads it in windows.")
    return " ".join(said)


def _code(kept: Kept, limit: int) -> str | None:
    """Python that loads the model and answers; None where that takes more than a few lines."""
    template = _TEMPLATES.get(_shape(kept))
    if template is None or (_writes(kept) and kept.task.head is not Head.GENERATE):
        return None
    decoder = kept.model.family is Family.DECODER
    values: dict[str, Any] = {
        "limit": limit,
        "labels": repr(list(kept.labels)),
        "encoder": ".get_encoder()" if _encoder_alone(kept) else "",
        "read": _REREAD if kept.model.family is Family.ENCODER_DECODER else "hidden = body(**inputs)",
        "pooled": {"mean": "hidden.mean(0)", "first": "hidden[0]", "last": "hidden[-1]"}[kept.model.pooling],
        "put": "tags[owner[end - 1]] = tag" if decoder else "tags.setdefault(owner[end - 1], tag)",
        "lead": repr(" " if decoder else ""),
        "prompt": repr(kept.task.prompt if kept.model.prompted else ""),
        "cue": repr(kept.task.cue),
    }
    return f"```python\n{template.substitute(values).strip()}\n```"


def _without_code(kept: Kept) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in kept.facts.items())
    return (
        "Without this project transformers loads the checkpoint that lies here; `head.safetensors` is the task's head, "
        "where there is one. How inputs are put together and answers read is in this project's `bench.learn.reading` "
        f"and `bench.learn.forms`.{f' Needed for it: {facts}.' if facts else ''}"
    )


def _writes(kept: Kept) -> bool:
    """Whether the whole network is kept, with the vocabulary projection that texts are written by."""
    return kept.task.head is Head.GENERATE or kept.model.writes


def _encoder_alone(kept: Kept) -> bool:
    """Whether answers are read off the encoder of an encoder-decoder."""
    return not _writes(kept) and kept.model.family is Family.ENCODER_DECODER and kept.task.head is not Head.SPAN


def _shape(kept: Kept) -> tuple[Head, int, bool]:
    """The head, the number of inputs, and whether a text goes on where its input ends."""
    head = kept.task.head
    return head, len(kept.task.inputs), head is Head.GENERATE and kept.model.family is Family.DECODER


_BODY = """
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
body = AutoModel.from_pretrained(".")$encoder.eval()
head = load_file("head.safetensors")
"""

_CLASSIFY = """
labels = $labels


@torch.inference_mode()
def predict(text):
    inputs = tokenizer(text, truncation=True, max_length=$limit, return_tensors="pt")
    hidden = body(**inputs).last_hidden_state[0]
    scores = head["weight"] @ $pooled + head["bias"]
    return labels[int(scores.argmax())]
"""

_TAG = """
labels = $labels


@torch.inference_mode()
def predict(words):
    owner = [number for number, word in enumerate(words) for _ in range(len(word) + 1)]
    inputs = tokenizer(
        " ".join(words), truncation=True, max_length=$limit, return_offsets_mapping=True, return_tensors="pt"
    )
    places = inputs.pop("offset_mapping")[0].tolist()
    hidden = body(**inputs).last_hidden_state[0]
    best = (hidden @ head["weight"].T + head["bias"]).argmax(-1).tolist()
    tags = {}
    for (start, end), tag in zip(places, [labels[i] for i in best]):
        if end > start:
            $put
    return [tags.get(number, "O") for number in range(len(words))]
"""

_REREAD = """ids = inputs["input_ids"]
    start = torch.full_like(ids[:, :1], body.config.decoder_start_token_id)
    hidden = body(**inputs, decoder_input_ids=torch.cat([start, ids[:, :-1]], dim=1))"""

_SPAN = """

@torch.inference_mode()
def predict(question, context):
    context = $lead + context
    inputs = tokenizer(
        question, context, truncation="only_second", max_length=$limit, return_offsets_mapping=True, return_tensors="pt"
    )
    parts, places = inputs.sequence_ids(0), inputs.pop("offset_mapping")[0].tolist()
    $read.last_hidden_state[0]
    scores = hidden @ head["weight"].T + head["bias"]
    real = [i > 0 and parts[i] == 1 and end > max(start, len($lead)) for i, (start, end) in enumerate(places)]
    scores[~torch.tensor(real)] = -1e9
    pairs = scores[:, 0, None] + scores[None, :, 1]
    pairs[~torch.ones_like(pairs).triu().tril(29).bool()] = -1e9  # 30 tokens at most
    first, last = divmod(int(pairs.argmax()), len(pairs))
    return context[places[first][0] : places[last][1]].strip()
"""

_WRITE = """
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForSeq2SeqLM.from_pretrained(".").eval()


def predict(text):
    inputs = tokenizer($prompt + text, truncation=True, max_length=$limit, return_tensors="pt")
    written = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
    return tokenizer.decode(written[0], skip_special_tokens=True).strip()
"""

_GO_ON = """
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".").eval()


def predict(text):
    ids = tokenizer($prompt + text, truncation=True, max_length=$limit)["input_ids"]
    ids = torch.tensor([ids + tokenizer($cue, add_special_tokens=False)["input_ids"]])
    written = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids))
    return tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True).strip()
"""

_TEMPLATES = {
    (Head.CLASSIFY, 1, False): Template(_BODY + _CLASSIFY),
    (Head.TAG, 1, False): Template(_BODY + _TAG),
    (Head.SPAN, 2, False): Template(_BODY + _SPAN),
    (Head.GENERATE, 1, False): Template(_WRITE),
    (Head.GENERATE, 1, True): Template(_GO_ON),
}
