"""What there is to choose from: tasks, models, methods and suites, found by listing files and looked up by name.

Knows names and declarations. A file that cannot be imported or declares nothing is an error at once, never a gap in a
list. Runs nothing and imports no tensor library.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import bench.methods
import tasks as task_modules
from bench.errors import RequestError, UnavailableError, UnknownNameError
from bench.models import FAMILIES, HUB_ID, MODELS, POOLING, config
from bench.spec import Method, Model, Task
from bench.suite import Suite, read_suite

SUITES = Path(__file__).parent / "suites"

T = TypeVar("T")


@functools.cache
def tasks() -> Mapping[str, Task]:
    """All tasks by name: `TASK` of each module in `tasks/`."""
    return _declared(task_modules, "TASK", Task)


@functools.cache
def methods() -> Mapping[str, Method]:
    """All methods by name: `METHOD` of each module in `bench/methods/`."""
    return _declared(bench.methods, "METHOD", Method)


def models() -> Mapping[str, Model]:
    """All models that have a row, by name."""
    return {row.name: row for row in MODELS}


def suites() -> Mapping[str, Suite]:
    """All suites that come with the harness, by name.

    Raises SuiteError for the first mistake in any of them.
    """
    return {path.stem: _read(path) for path in sorted(SUITES.glob("*.toml"))}


def task(name: str) -> Task:
    """The task of that name, else UnknownNameError."""
    return _lookup("task", name, tasks())


def model(name: str) -> Model:
    """A model by the name of its row, by a local directory or by a hub id ("organisation/name").

    For a hub id its config is read, from the cache or the hub. Raises UnknownNameError, UnavailableError, or
    RequestError where the family cannot be told from the checkpoint's `model_type`.
    """
    if name in models():
        return models()[name]
    if (Path(name) / "config.json").is_file():
        return _unlisted(Path(name).as_posix(), config(Path(name)))
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or Path(name).is_dir():
        raise UnavailableError(f"model {name!r}: there is no config.json in that directory. Check the path.")
    if not HUB_ID.fullmatch(name):
        raise UnknownNameError("model", name, models(), "A directory or a hub id 'organisation/name' works as well.")
    return _unlisted(name, _hub_config(name))


def method(name: str) -> tuple[Method, dict[str, Any]]:
    """A method and its options from a name such as `lora` or `lora[r=16,alpha=32]`, defaults filled in.

    Raises UnknownNameError for the method or an option, RequestError for a value of the wrong type
    or beyond the method's limits.
    """
    match = re.fullmatch(r"([^\[\]]+)(?:\[([^\[\]]*)\])?", name.strip())
    if match is None:
        raise RequestError(f"method {name!r} cannot be read. Write a name, or a name with options: lora[r=16,alpha=32]")
    found = _lookup("method", match[1].strip(), methods())
    options = dict(found.options)
    for assignment in filter(None, (part.strip() for part in (match[2] or "").split(","))):
        option, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise RequestError(f"method {name!r}: write the option {option!r} with its value, as in {option}=...")
        if option not in options:
            raise _unknown_option(found, option)
        value = options[option] = _typed(f"{found.name}[{option}]", text, found.options[option])
        limits = found.limits.get(option)
        if limits is not None and not limits.allows(value):
            raise RequestError(f"{found.name}[{option}] must be {limits}, not {text}.")
    return found, options


def method_name(found: Method, options: Mapping[str, Any]) -> str:
    """The one name of a method with these options: those that are not the default, in the method's order."""
    changed = [f"{name}={_shown(options[name])}" for name in found.options if options[name] != found.options[name]]
    return f"{found.name}[{','.join(changed)}]" if changed else found.name


def suite(name: str) -> Suite:
    """A suite by name, or by the path of a TOML file.

    Raises UnknownNameError or SuiteError.
    """
    if name.endswith(".toml") and Path(name).is_file():
        return _read(Path(name))
    known = {path.stem: path for path in SUITES.glob("*.toml")}
    return _read(_lookup("suite", name, known, "The path of a .toml file works as well."))


def split_names(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list; commas inside brackets belong to a name."""
    return tuple(part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip())


def _read(path: Path) -> Suite:
    return read_suite(path, check={"tasks": task, "models": _listed_or_elsewhere, "methods": method})


def _listed_or_elsewhere(name: str) -> None:
    """A suite may name a directory or a hub id; whether it is there shows when the plan is made."""
    if "/" not in name:
        _lookup("model", name, models(), "A directory or a hub id 'organisation/name' works as well.")


def _lookup(kind: str, name: str, known: Mapping[str, T], hint: str = "") -> T:
    if name not in known:
        raise UnknownNameError(kind, name, known, hint)
    return known[name]


def _declared(package: ModuleType, attribute: str, kind: type[T]) -> Mapping[str, T]:
    """What every module of `package` exports under `attribute`, by the name of the module, which must be its own."""
    found: dict[str, T] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.ispkg or info.name.startswith("_"):
            continue
        value = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), attribute, None)
        name = getattr(value, "name", None)
        if not isinstance(value, kind) or name != info.name:
            raise RequestError(
                f"{package.__name__}/{info.name}.py must export {attribute} = {kind.__name__}({info.name!r}, ...), "
                f"found {repr(name) if name else 'none'}. Correct it, or move the file elsewhere."
            )
        found[info.name] = value
    return found


def _unlisted(name: str, read: Mapping[str, Any]) -> Model:
    kind = str(read.get("model_type", ""))
    if kind not in FAMILIES:
        raise RequestError(
            f"model {name!r} has model_type {kind!r}, whose family is not known here. "
            f"Known: {', '.join(sorted(FAMILIES))}. If it fits one of these, add it to FAMILIES in bench/models.py."
        )
    return Model(name, FAMILIES[kind], name, pooling=POOLING[FAMILIES[kind]])


def _hub_config(name: str) -> Mapping[str, Any]:
    from bench.learn import hub

    read: Mapping[str, Any] = hub.model_config(name)
    return read


def _unknown_option(found: Method, option: str) -> RequestError:
    if not found.options:
        return RequestError(f"method {found.name!r} takes no options. Leave the brackets out.")
    return UnknownNameError(f"option of method {found.name!r}:", option, found.options)


def _typed(where: str, text: str, default: Any) -> Any:
    """`text` as a value of the default's type."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        return type(default)(text)
    except (ValueError, KeyError):
        wanted = {bool: "true or false", int: "a whole number"}.get(type(default), "a number")
        raise RequestError(f"{where}: {text!r} is not {wanted}. Its default is {_shown(default)}.") from None


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

