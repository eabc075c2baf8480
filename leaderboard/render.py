"""Writes the board of a run: Markdown, CSV, figures, and a site that opens from a disk and from any web server.

The files depend on nothing but the records, the answers beside them and the run's name, and are rebuilt whole; what an
earlier board wrote and this one does not is removed. No page makes a request to anywhere else: a content security
policy refuses it. Text from data and models is escaped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from bench.atomic import write_atomically
from bench.errors import StoreError
from bench.record import Record
from bench.store import Store
from leaderboard import gallery, markdown, notes, sides, study, tables
from leaderboard.site import Site
from leaderboard.study import Study

SOURCES = (".py", ".html", ".css", ".js")

STATE = "state.json"
"""What the board was made from, and its files to look at."""

MANIFEST = "site.json"
"""Lists the site's files, so that the next board knows which of them are its own to remove."""


def publish(run_dir: Path, out: Path | None = None, png: bool = False) -> list[Path]:
    """Write the run's board into `out` (its folder leaderboard/ if None); return the paths of the files to look at.

    These are leaderboard.md, .csv, .tex, .parquet and .html, and figures, as SVG and where asked as PNG; the site has
    more (`leaderboard.addresses`). Records that cannot be read are left out, and a note names their files. Raises
    StoreError where there is no run.
    """
    return _publish(run_dir, out or run_dir / "leaderboard", _origin(run_dir), png)


def refresh(run_dir: Path) -> list[Path]:
    """`publish` into the run's own folder, unless the board there was made from the same records by the same code."""
    folder, origin = run_dir / "leaderboard", _origin(run_dir)
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        files = [folder / path for path in state["files"]]
        kept = state["of"] == origin and all(path.is_file() for path in files)
    except (OSError, ValueError, KeyError, TypeError):  # no board, or one that was made otherwise
        kept = False
    return files if kept else _publish(run_dir, folder, origin)


def _publish(run_dir: Path, folder: Path, origin: str, png: bool = False) -> list[Path]:
    """`origin` is from before anything is read: a board that missed a record is made again by the next `refresh`."""
    store = Store(run_dir)
    listing = store.listing()
    records = listing.records
    known = _noted(study.of(store, records), [*_unread(listing.unread), *_unfinished(run_dir, records)])
    title = run_dir.resolve().name
    drawn = gallery.figures(known)
    texts: dict[str, str | bytes] = {
        "md": markdown.render(known.board, title, drawn, known), "csv": tables.as_csv(known.board),
        "tex": tables.as_latex(known.board, title), "parquet": tables.as_parquet(known.board),
    }
    written = [_write(folder / f"leaderboard.{suffix}", content) for suffix, content in texts.items()]
    site = Site(known, store, title, drawn, gallery.cell_curves(records), gallery.left_out(known))
    page = write_site(site.files(), folder)
    written += [page, *gallery.write(drawn, folder / gallery.FOLDER, png)]
    state = {"of": origin, "files": [path.relative_to(folder).as_posix() for path in written]}
    _write(folder / STATE, json.dumps(state, indent=0) + "\n")
    return written


def _origin(run_dir: Path) -> str:
    """A digest of all that a board is made from: the run's name, its records and answers, and the code."""
    code = Path(__file__).parents[1]
    places = [(run_dir, "plan.json"), (run_dir, "records/**/*.json"), (run_dir, "predictions/**/*.parquet")]
    places += [(code, f"{room}/**/*{kind}") for room in ("bench", "leaderboard") for kind in SOURCES]
    found = hashlib.sha256(f"{run_dir.resolve().name}\n".encode())
    for root, pattern in places:
        for path in sorted(root.glob(pattern)):
            found.update(f"{path.relative_to(root).as_posix()}\n".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _noted(known: Study, said: Sequence[str]) -> Study:
    """The same, with these notes before its own."""
    return replace(known, board=replace(known.board, notes=(*said, *known.board.notes)))


def _unread(files: Sequence[str]) -> list[str]:
    """Of records that could not be read: their cells are there, though no page shows them."""
    told = "Left out, since their records cannot be read, though they may be shown as not run"
    return [f"{told}: {', '.join(files)}."] if files else []


def _unfinished(run_dir: Path, records: Sequence[Record]) -> list[str]:
    """Of planned cells that no page can show, since there is no record of them."""
    try:
        planned = sides.planned(run_dir)
    except StoreError:
        return ["Whether the run is complete cannot be told, since its plan.json cannot be read."]
    known = {record.key for record in records}
    told = notes.unfinished(sorted(set(planned) - known), len(planned))
    return [told] if told else []


def write_site(files: Iterable[tuple[str, str]], folder: Path) -> Path:
    """Write these files, by their paths in `folder`, and remove those of an earlier site; the path of the first one.

    A file is there whole or not at all, and only files that an earlier site wrote are removed.
    """
    before = _listed(folder / MANIFEST)
    written = [_write(folder / path, content).relative_to(folder).as_posix() for path, content in files]
    _write(folder / MANIFEST, json.dumps(sorted(written), indent=0) + "\n")
    for path in sorted(before - set(written)):
        _remove(folder, path)
    return folder / written[0]


def _listed(manifest: Path) -> set[str]:
    """What an earlier site wrote: paths that stay below its folder; nothing where that cannot be read."""
    try:
        paths = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return set()
    return {path for path in paths if isinstance(path, str) and _inside(path)} if isinstance(paths, list) else set()


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not PurePosixPath(path).is_absolute()


def _remove(folder: Path, path: str) -> None:
    """A file, and the folders that it leaves empty."""
    (folder / path).unlink(missing_ok=True)
    for parent in PurePosixPath(path).parents[:-1]:
        if (folder / parent).is_dir() and not any((folder / parent).iterdir()):
            (folder / parent).rmdir()


def _write(path: Path, content: str | bytes) -> Path:
    """Whole, so that a reader never sees half a page. A site has many files, which are easily made again."""
    write_atomically(path, content if isinstance(content, bytes) else content.encode(), lasting=False)
    return path
