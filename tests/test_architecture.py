"""The house: which room may import which, where each library may live, and that no imports go round in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [p.relative_to(ROOT) for name in ("bench", "tasks", "leaderboard") for p in sorted((ROOT / name).rglob("*.py"))]

LIVES_IN = {
    "torch": ("bench/learn/", "bench/methods/"),
    "transformers": ("bench/learn/",),
    "tokenizers": ("bench/learn/tokenizers.py",),
    "safetensors": ("bench/learn/",),
    "huggingface_hub": ("bench/learn/hub.py", "bench/learn/asking.py", "bench/learn/cached.py"),
    "httpx2": ("bench/learn/asking.py",),
    "tenacity": ("bench/learn/asking.py",),
    "datasets": ("bench/learn/hub.py", "bench/learn/built.py", "bench/learn/asking.py",
                 "bench/metrics/hugging_face.py"),
    "peft": ("bench/methods/",),
    "evaluate": ("bench/score.py", "bench/metrics/hugging_face.py"),
    "sacrebleu": ("bench/metrics/",),
    "seqeval": ("bench/metrics/",),
    "rouge_score": ("bench/metrics/",),
    "optuna": ("bench/tune.py", "bench/spread.py"),
    "sqlalchemy": ("bench/spread.py",),
    "wandb": ("bench/track.py", "bench/wandb_child.py"),
    "rich": ("bench/progress.py",),
    "pebble": ("bench/pool.py",),
    "ray": ("bench/executors/ray.py",),
    "submitit": ("bench/executors/slurm.py",),
    "pandas": ("leaderboard/",),
    "sklearn": ("bench/tfidf.py",),
    "scipy": ("leaderboard/", "bench/uncertainty.py"),
    "jinja2": ("leaderboard/html.py",),
    "ruptures": ("leaderboard/changes.py",),
    "altair": ("leaderboard/charts/",),
    "vl_convert": ("leaderboard/draw.py",),
    "pyarrow": ("bench/predictions.py", "bench/files.py", "bench/learn/built.py", "leaderboard/tables.py"),
}
"""The files, or folders, that may import each library."""

RUN_FILES = ("bench.store", "bench.predictions")

FORBIDDEN = {
    "tasks/": ("bench.learn", "bench.run", "bench.cell", "bench.catalog", *RUN_FILES, "leaderboard"),
    "tasks/corpora/": ("bench",),
    "leaderboard/": ("bench.learn", "bench.run", "bench.tune", "bench.track", "bench.cell", "bench.methods"),
    "bench/metrics/": ("bench.learn", "bench.run", "bench.cell", *RUN_FILES),
    "bench/learn/": (
        "bench.cell",
        "bench.run",
        "bench.tune",
        "bench.track",
        *RUN_FILES,
        "bench.score",
        "leaderboard",
    ),
    "bench/methods/": ("bench.cell", "bench.run", "bench.tune", "bench.track", *RUN_FILES, "leaderboard"),
    "bench/spec.py": ("bench", "tasks", "leaderboard"),
    "bench/errors.py": ("bench", "tasks", "leaderboard"),
    "bench/record.py": ("bench.learn", "bench.run", "bench.cell"),
    "bench/cell.py": ("bench.learn", "bench.run", "leaderboard"),
}
"""What each room must not know."""


def imports(path: Path, *, late: bool = True) -> set[str]:
    """Dotted names that a file imports; without `late`, only those at the top of the module."""
    tree = ast.parse((ROOT / path).read_text())
    nodes = ast.walk(tree) if late else _top(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _top(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if not isinstance(node, ast.If)]


def matches(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize("path", FILES, ids=str)
def test_libraries_live_only_in_their_rooms(path: Path) -> None:
    for library, homes in LIVES_IN.items():
        if any(matches(name, library) for name in imports(path)):
            assert str(path).startswith(homes), f"{path} imports {library}, which lives in {homes}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_rooms_do_not_know_what_they_must_not(path: Path) -> None:
    for room, forbidden in FORBIDDEN.items():
        if str(path).startswith(room):
            wrong = [n for n in imports(path) for f in forbidden if matches(n, f)]
            assert not wrong, f"{path} imports {wrong}"


@pytest.mark.parametrize("path", [p for p in FILES if p.parts[:2] == ("bench", "methods")], ids=str)
def test_methods_import_tensors_only_where_they_are_applied(path: Path) -> None:
    """Listing the methods must not load torch."""
    assert not any(matches(n, lib) for n in imports(path, late=False) for lib in ("torch", "peft", "bench.learn"))


def test_no_imports_go_round_in_a_circle() -> None:
    modules = {_dotted(p): imports(p, late=False) for p in FILES}
    graph = {m: {n for n in names if n in modules and n != m} for m, names in modules.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for target in sorted(graph[module]):
                visit(target, (*path, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize(
    "command", ["--help", "list tasks", "list models", "list methods", "list suites", "plan --suite smoke"]
)
def test_quick_commands_load_no_heavy_library(command: str) -> None:
    heavy = ("torch", "transformers", "pandas", "optuna", "wandb", "datasets", "evaluate", "peft", "sklearn", "scipy")
    code = (
        "import sys\nfrom bench.cli import main\n"
        f"try:\n    main({command.split()!r})\nexcept SystemExit:\n    pass\n"
        f"sys.exit(','.join(n for n in {heavy!r} if n in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
