"""Answers found by an encoder-decoder: its decoder reads the input once more, as in transformers' own networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bench.errors import UnsupportedError
from bench.learn import batch, soft
from bench.learn.fit import ModelLearner
from bench.learn.network import Network
from bench.spec import Family, Head
from tests import tiny

pytestmark = pytest.mark.usefixtures("float32")

SMALL: dict[str, dict[str, Any]] = {
    "t5": {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "decoder_start_token_id": 0},
    "bart": {
        "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
        "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 40,
    },
}
ROWS = ([5, 6, 7, 8, 9, 10, 11], [12, 13, 14, 15])


def peer_of(model_type: str) -> Any:
    """The network of transformers that finds answers, tiny and random."""
    from transformers import AutoConfig, AutoModelForQuestionAnswering

    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, vocab_size=50, num_labels=2, **SMALL[model_type])
    return AutoModelForQuestionAnswering.from_config(config).eval()


def ours_of(peer: Any, model_type: str) -> Network:
    """Our network with its weights."""
    from transformers import AutoModel

    body: Any = AutoModel.from_config(peer.config)
    body.load_state_dict(getattr(peer, "model", peer).state_dict(), strict=model_type == "bart")
    head = nn.Linear(32, 2)
    head.load_state_dict(peer.qa_outputs.state_dict())
    return Network(body, Family.ENCODER_DECODER, head, rereads=True).eval()


@pytest.mark.parametrize("model_type", sorted(SMALL))
@torch.inference_mode()
def test_start_and_end_have_the_scores_that_transformers_gives_them(model_type: str) -> None:
    peer = peer_of(model_type)
    network = ours_of(peer, model_type)
    shown = batch.collate([{"ids": ids} for ids in ROWS], {"ids": 1}, torch.device("cpu"))
    assert network.head is not None
    scores = network.head(network.hidden(shown))
    for row, ids in enumerate(ROWS):
        expected = peer(input_ids=torch.tensor([ids]))
        for number, wanted in enumerate((expected.start_logits, expected.end_logits)):
            assert torch.allclose(scores[row, : len(ids), number], wanted[0], atol=1e-5)


def test_a_prompt_stands_before_what_the_encoder_reads_and_not_before_what_the_decoder_does() -> None:
    network = ours_of(peer_of("t5"), "t5")
    shown = {"ids": torch.tensor(ROWS[:1]), "mask": torch.ones(1, 7, dtype=torch.long)}
    before = network.hidden(shown)
    soft.prepend(network, soft.PlainRows(soft.common_words(network, 3)))
    heard: list[tuple[int, ...]] = []
    body: Any = network.backbone
    for stack in (body.encoder, body.decoder):
        stack.embed_tokens.register_forward_hook(lambda module, inputs, output: heard.append(tuple(output.shape)))
    after = network.hidden(shown)
    assert heard == [(1, 10, 32), (1, 7, 32)]
    assert after.shape == before.shape
    assert not torch.allclose(after, before)


@pytest.mark.parametrize("head", list(Head))
def test_only_answers_that_are_found_or_written_have_a_decoder(root: Path, head: Head) -> None:
    model = tiny.checkpoint(Family.ENCODER_DECODER, root / "encoder-decoder")
    network = ModelLearner(tiny.assignment(head, model, "full")).template
    assert network.decodes == (head in (Head.SPAN, Head.GENERATE))
    assert len(network.stacks()) == (2 if network.decodes else 1)


@pytest.mark.parametrize("head", [Head.SPAN, Head.GENERATE])
def test_a_checkpoint_that_does_not_say_what_its_decoder_reads_first_is_unsupported(tmp_path: Path, head: Head) -> None:
    model = tiny.checkpoint(Family.ENCODER_DECODER, tmp_path / "t5")
    place = tmp_path / "t5" / "config.json"
    config = json.loads(place.read_text())
    del config["decoder_start_token_id"]
    place.write_text(json.dumps(config))
    with pytest.raises(UnsupportedError, match=r"has no decoder_start_token_id.* for T5 it is pad_token_id"):
        ModelLearner(tiny.assignment(head, model, "full"))
    ModelLearner(tiny.assignment(Head.TAG, model, "full"))  # whose decoder is not read


@pytest.mark.parametrize("method", ["full", "freeze", "head_only", "lora", "prompt_tuning", "prefix_tuning", "houlsby"])
def test_every_part_that_a_method_trains_of_the_reading_decoder_has_a_gradient(root: Path, method: str) -> None:
    model = tiny.checkpoint(Family.ENCODER_DECODER, root / "encoder-decoder")
    learner = ModelLearner(tiny.assignment(Head.SPAN, model, method))
    network, head = learner._network(0), learner.head
    shown = head.collate(head.encode(tiny.rows(Head.SPAN), targets=True).examples, torch.device("cpu"))
    head.loss(network, head.features(network, shown), shown).backward()  # type: ignore[no-untyped-call]
    trained = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    assert trained
    assert [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None] == []
    assert any(".decoder." in name for name in trained) == (method in ("full", "freeze", "lora", "houlsby"))
