"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bench import atomic
from bench.atomic import in_folder, write_atomically


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space") as caught:
        write_atomically(path, b"new")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("passing", [errno.EEXIST, errno.ENOENT, errno.ESTALE])
def test_a_directory_that_another_machine_makes_at_the_same_moment_is_looked_at_again(
    tmp_path: Path, passing: int
) -> None:
    """GlusterFS was seen to say EEXIST and ESTALE of one that two machines made at once."""
    answers = iter([OSError(passing, "just now"), OSError(passing, "still")])

    def make(folder: Path) -> Path:
        for error in answers:
            raise error
        return folder

    assert in_folder(tmp_path / "a" / "b", make) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_what_stays_in_the_way_of_a_directory_is_said_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "PAUSES", (0.0, 0.0))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file" / "record", b"")


def test_a_directory_that_may_not_be_made_is_not_tried_again(tmp_path: Path) -> None:
    tries = []

    def make(folder: Path) -> None:
        tries.append(folder)
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        in_folder(tmp_path, make)
    assert len(tries) == 1
