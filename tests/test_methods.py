"""What single methods promise beyond the contract of all: places, pruning, butterflies, and other architectures."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from bench import catalog
from bench.errors import UnsupportedError
from bench.learn import device, fit
from bench.learn.adapters import Adapter, Bottleneck
from bench.learn.fit import ModelLearner
from bench.learn.network import Network, count
from bench.learn.surgery import BlockDiagonal, linearize
from bench.spec import Family, Head
from tests import tiny

torch.set_num_threads(1)

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}
SIDES: dict[str, Any] = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "vocab_size": 50,
}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("bert", "roberta", "electra", "camembert", "xlm-roberta", "mpnet"), SMALL),
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "vocab_size": 50},
    "albert": {**SMALL, "embedding_size": 16},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 50},
    "opt": {"hidden_size": 32, "word_embed_proj_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "ffn_dim": 64, "vocab_size": 50},
    "llama": {**SMALL, "num_key_value_heads": 2},
    "qwen3": {**SMALL, "num_key_value_heads": 2, "head_dim": 16},
    "t5": {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "vocab_size": 50,
           "decoder_start_token_id": 0},
    "bart": SIDES, "mbart": SIDES,
    "marian": {**SIDES, "pad_token_id": 0, "decoder_start_token_id": 0},
}
PEFT = ("lora", "dora", "rslora", "adalora", "vera", "loha", "lokr", "oft", "boft", "fourierft")


def network_of(model_type: str, *, whole: bool = False) -> Network:
    """A network of that architecture: tiny, random, without a pooler; the encoder of an encoder-decoder or `whole`."""
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    backbone = AutoModel.from_config(AutoConfig.for_model(model_type, **ARCHITECTURES[model_type]))
    if getattr(backbone, "pooler", None) is not None:
        backbone.pooler = None
    if backbone.config.is_encoder_decoder and not whole:
        backbone = backbone.get_encoder()
    return Network(backbone, Family.ENCODER, nn.Linear(32, 2)).eval()


def states(network: Network) -> Tensor:
    with torch.no_grad():
        return network.hidden({"ids": torch.tensor([[5, 6, 7, 8]]), "mask": torch.ones(1, 4, dtype=torch.long)})


def applied(network: Network, name: str) -> Network:
    method, options = catalog.method(name)
    changed = copy.deepcopy(network)
    method.apply(changed, options)
    return changed


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_low_rank_methods_start_at_the_checkpoint_on_every_architecture(model_type: str) -> None:
    network = network_of(model_type)
    before = states(network)
    for name in ("lora", "boft", "fourierft"):
        changed = applied(network, name)
        assert count(changed).method > 0
        assert torch.allclose(states(changed.eval()), before, atol=1e-5)


@pytest.mark.parametrize("model_type", ["bert", "gpt2", "t5"])
@pytest.mark.parametrize("name", [*PEFT, "ia3", "houlsby[init_weights=mam_adapter]"])
def test_every_method_that_adds_parameters_starts_at_the_checkpoint(name: str, model_type: str) -> None:
    network = network_of(model_type)
    assert torch.allclose(states(applied(network, name).eval()), states(network), atol=1e-5)


@pytest.mark.parametrize("name", [*PEFT, "ia3", "houlsby"])
def test_an_architecture_without_known_places_is_refused_in_one_sentence(name: str) -> None:
    network = Network(xlnet(), Family.ENCODER, nn.Linear(32, 2))
    with pytest.raises(UnsupportedError, match=r"known for") as caught:
        applied(network, name)
    assert "\n" not in str(caught.value)


def xlnet() -> nn.Module:
    from transformers import XLNetConfig, XLNetModel

    return cast(nn.Module, XLNetModel(XLNetConfig(vocab_size=50, d_model=32, n_layer=1, n_head=2, d_inner=64)))


def test_xlnet_has_no_attention_projections_that_peft_could_change() -> None:
    """Why it is refused: they are bare parameters, and peft names no target of its own."""
    from peft import LoraConfig, inject_adapter_in_model

    attention = cast(Any, xlnet()).layer[0].rel_attn
    assert not any(isinstance(module, nn.Linear) for module in attention.modules())
    with pytest.raises(ValueError, match="specify `target_modules`"):
        inject_adapter_in_model(LoraConfig(), xlnet())


def test_what_peft_refuses_is_refused_with_its_reason() -> None:
    """A width that does not divide into blocks."""
    with pytest.raises(UnsupportedError, match=r"peft cannot change this network: .*32.*divisible.*5"):
        applied(network_of("bert"), "boft[block_size=5,n_butterfly_factor=1]")


# -- GPT-2's transposed layers --


def test_gpt2_computes_the_same_with_linear_layers() -> None:
    network = network_of("gpt2")
    before = states(network)
    linearize(network.backbone)
    assert not any(type(module).__name__ == "Conv1D" for module in network.modules())
    assert torch.allclose(states(network), before, atol=1e-6)


@pytest.mark.parametrize("config", ["LoHaConfig", "LoKrConfig", "OFTConfig", "BOFTConfig"])
def test_peft_refuses_gpt2s_own_layers(config: str) -> None:
    """Why they are replaced; if this fails, the replacement can go."""
    import peft

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((TypeError, ValueError), match=r"Conv1D|supported"):
            peft.inject_adapter_in_model(
                getattr(peft, config)(target_modules=["c_attn"]), network_of("gpt2").backbone
            )


# -- (IA)^3 --


def test_ia3_scales_keys_values_and_the_inner_feed_forward_only() -> None:
    layer = applied(network_of("bert"), "ia3").backbone.get_submodule("encoder.layer.0")
    places = {name.split(".ia3_l")[0] for name, _ in layer.named_parameters() if ".ia3_l" in name}
    assert places == {"attention.self.key", "attention.self.value", "output.dense"}


# -- BOFT --


def test_boft_has_all_its_factors_where_peft_alone_would_take_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its CUDA kernel peft silently ignores the number of factors; if this fails, ours can go."""
    from peft import BOFTConfig, inject_adapter_in_model
    from peft.tuners.boft import layer

    assert boft_weights(applied(network_of("bert"), "boft").backbone).shape == (2, 4, 8, 8)
    monkeypatch.setattr(layer, "get_fbd_cuda", lambda: None)
    config = BOFTConfig(boft_block_size=8, boft_n_butterfly_factor=2, target_modules=["query"])
    assert boft_weights(inject_adapter_in_model(config, network_of("bert").backbone)).shape == (1, 4, 8, 8)


def boft_weights(backbone: nn.Module) -> Tensor:
    return next(p for n, p in backbone.named_parameters() if "boft_R" in n)


def test_boft_rotates_and_mixes_beyond_its_blocks() -> None:
    """Two factors make a rotation with entries outside the diagonal blocks, which one factor cannot."""
    network = applied(network_of("bert"), "boft")
    projection = cast(Any, network.backbone.get_submodule("encoder.layer.0.attention.self.query"))
    with torch.no_grad():
        projection.boft_R["default"].normal_()
        rotation, _ = projection.get_delta_weight("default")
    assert torch.allclose(rotation @ rotation.T, torch.eye(32), atol=1e-4)
    blocks = torch.kron(torch.eye(4), torch.ones(8, 8))
    assert (rotation * (1 - blocks)).abs().max() > 0.01


def test_block_diagonals_have_the_gradient_of_autograd() -> None:
    torch.manual_seed(0)
    blocks = torch.randn(2, 3, 4, 4, requires_grad=True)
    weight = torch.randn(2, 12, 12)
    matrices = BlockDiagonal.forward(blocks)[0]
    assert torch.equal(matrices[1, 4:8, 4:8], blocks[1, 1])
    assert not matrices[:, :4, 4:].any()
    (matrices * weight).sum().backward()  # type: ignore[no-untyped-call]
    assert blocks.grad is not None
    assert torch.equal(BlockDiagonal.backward(weight, blocks)[0], blocks.grad)


# -- AdaLoRA --


def adalora(tmp_path: Path, options: str, epochs: int) -> Network:
    model = tiny.checkpoint(Family.ENCODER, tmp_path)
    made = fit.open_learner(
        tiny.assignment(Head.CLASSIFY, model, f"adalora[{options}]", batch_size=8, epochs=epochs, evaluations=1)
    )
    assert isinstance(made, ModelLearner)
    kept: list[Network] = []
    build = made._network

    def watched(seed: int) -> Network:
        kept.append(build(seed))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "_network", watched)
        patch.setattr(device, "CPU_BFLOAT16_WIDTH", 10**9)
        made.fit(5e-3, 1, lambda predictions: 0.0, lambda point: True, made.assignment.budget.epochs)
    return kept[-1]


def ranks(network: Network) -> list[int]:
    return [int((p != 0).sum()) for n, p in network.named_parameters() if "lora_E" in n]


@pytest.mark.parametrize(("target", "first"), [(2, 4), (8, 12)])
def test_adalora_ends_with_the_ranks_that_were_asked_for(tmp_path: Path, target: int, first: int) -> None:
    """On average over the projections: which of them keep more is what it learns."""
    left = ranks(adalora(tmp_path, f"target_r={target},init_r={first}", epochs=30))
    assert len(left) == 4
    assert sum(left) == 4 * target
    assert max(left) <= first


@pytest.mark.parametrize("epochs", [1, 2, 3, 5])
def test_adalora_lives_through_a_training_too_short_for_it(tmp_path: Path, epochs: int) -> None:
    assert sum(ranks(adalora(tmp_path, "target_r=2,init_r=4", epochs))) in range(4 * 4 + 1)


def test_adaloras_penalty_makes_its_factors_orthogonal(tmp_path: Path) -> None:
    def distance(network: Network) -> float:
        (a,) = [p for n, p in network.named_parameters() if "layer.0.attention.self.query.lora_A" in n]
        return float(torch.linalg.matrix_norm(a @ a.T - torch.eye(len(a))).detach())

    free, pulled = (adalora(tmp_path, f"orthogonality={weight}", epochs=30) for weight in (0.0, 1.0))
    assert distance(pulled) < 0.8 * distance(free)


def test_adalora_with_nothing_to_prune_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="init_r=8 must be larger than target_r=8"):
        applied(network_of("bert"), "adalora[init_r=8]")


# -- Bottleneck adapters --

ADAPTED = ("bert", "roberta", "electra", "distilbert", "gpt2", "llama", "qwen3", "t5", "bart", "marian")


@pytest.mark.parametrize("model_type", ADAPTED)
@pytest.mark.parametrize("name", ["houlsby", "pfeiffer"])
def test_adapters_start_near_the_checkpoint_and_all_get_a_gradient(model_type: str, name: str) -> None:
    """One an attention and one a feed-forward block for Houlsby, one a feed-forward block for Pfeiffer."""
    network = network_of(model_type)
    changed = applied(network, name).eval()
    assert torch.allclose(states(changed), states(network), atol=0.05)
    hidden = changed.hidden({"ids": torch.tensor([[5, 6, 7]]), "mask": torch.ones(1, 3, dtype=torch.long)})
    hidden.pow(3).sum().backward()  # type: ignore[no-untyped-call]
    adapters = [module for module in changed.modules() if isinstance(module, Adapter)]
    assert len(adapters) == 2 * (2 if name == "houlsby" else 1)
    for adapter in adapters:
        gradient = adapter.up.bias.grad
        assert gradient is not None
        assert gradient.any()


@pytest.mark.parametrize(("name", "expected"), [("houlsby", 2), ("houlsby[cross_adapter=true]", 3)])
def test_cross_attention_has_an_adapter_where_asked_for(name: str, expected: int) -> None:
    decoder = cast(Any, applied(network_of("bart", whole=True), name).backbone).decoder
    assert sum(isinstance(module, Adapter) for module in decoder.layers[0].modules()) == expected


def test_houlsby_on_bert_is_the_formula_of_adapterhub() -> None:
    """Norm(x + f(x) + residual), x being the sublayer's output."""
    changed = applied(network_of("bert"), "houlsby").eval()
    output = cast(Any, changed.backbone).encoder.layer[0].output
    inner, residual = torch.randn(2, 3, 64), torch.randn(2, 3, 32)
    grow(output.dropout.adapter)
    x = output.dense(inner)
    assert torch.allclose(output(inner, residual), output.LayerNorm(x + output.dropout.adapter(x) + residual))


def test_pfeiffer_on_bert_is_the_formula_of_adapterhub() -> None:
    """Norm(x + f(norm(x + residual)) + residual): the norm of the checkpoint is used twice."""
    changed = applied(network_of("bert"), "pfeiffer").eval()
    output = cast(Any, changed.backbone).encoder.layer[0].output
    inner, residual = torch.randn(2, 3, 64), torch.randn(2, 3, 32)
    grow(output.LayerNorm.adapter)
    x, norm = output.dense(inner), output.LayerNorm.forward
    expected = norm(x + output.LayerNorm.adapter(norm(x + residual)) + residual)
    assert torch.allclose(output(inner, residual), expected)


def test_pfeiffer_on_gpt2_reads_the_sum_since_no_norm_follows_it() -> None:
    network = network_of("gpt2")
    changed = applied(network, "pfeiffer").eval()
    block, plain = (cast(Any, n.backbone).h[0] for n in (changed, network))
    grow(block.adapter)
    x = torch.randn(2, 3, 32)
    assert torch.allclose(block(x), plain(x) + block.adapter(plain(x)), atol=1e-6)


def grow(adapter: Adapter) -> None:
    with torch.no_grad():
        adapter.up.weight.normal_()


def test_the_options_of_an_adapter_are_heeded() -> None:
    shape = Bottleneck(reduction_factor=4, non_linearity="tanh", scaling=2.0, dropout=0.0, init_weights="bert")
    adapter = Adapter(32, shape)
    x = torch.randn(3, 32)
    assert adapter.down.weight.shape == (8, 32)
    assert torch.allclose(adapter(x), 2 * adapter.up(torch.tanh(adapter.down(x))))


@pytest.mark.parametrize(("option", "value"), [("non_linearity", "tinh"), ("init_weights", "zero")])
def test_an_unknown_option_of_an_adapter_is_refused(option: str, value: str) -> None:
    method, options = catalog.method("pfeiffer")
    with pytest.raises(UnsupportedError, match="is not known; choose"):
        method.apply(network_of("bert"), {**options, option: value})


# -- Norms and biases --


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_layernorm_trains_norms_and_nothing_else_on_every_architecture(model_type: str) -> None:
    names = {n for n, p in applied(network_of(model_type), "layernorm").backbone.named_parameters() if p.requires_grad}
    assert names
    assert all("norm" in name.lower() or "ln_" in name for name in names)


def test_more_frozen_layers_than_the_model_has_are_unsupported() -> None:
    method, options = catalog.method("freeze[k=3]")
    with pytest.raises(UnsupportedError, match=r"freeze\[k=3\]: this model has stacks of only 2 layers"):
        method.apply(network_of("bert"), options)
    method.apply(network_of("bert"), {"k": 2})
