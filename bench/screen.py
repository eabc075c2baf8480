"""Where words for people go, and how plain columns are laid out. The only module that writes to the terminal.

Must not know what is said.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from bench.redact import redact

GAP = "  "


class Screen:
    """The two streams of a command. They are looked up when used, so that whoever redirects them gets everything."""

    @property
    def out(self) -> TextIO:
        """Where answers go."""
        return sys.stdout

    @property
    def terminal(self) -> bool:
        """Whether somebody watches, so that a display may move."""
        return self.out.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def color(self) -> bool:
        """Whether to style text (https://no-color.org)."""
        return self.terminal and not os.environ.get("NO_COLOR")

    @property
    def width(self) -> int | None:
        """Characters in a line of the terminal, None where there is none and lines may be of any length."""
        return shutil.get_terminal_size().columns if self.terminal else None

    def tolerate(self) -> None:
        """Replace what the streams cannot write, such as ± in ASCII, instead of failing over it."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")

    def say(self, text: str = "") -> None:
        """One answer, at once."""
        self.out.write(f"{redact(text)}\n")
        self.out.flush()

    def warn(self, text: str) -> None:
        """What did not go as asked, but does not stop the command."""
        self.tell(f"warning: {text}")

    def fail(self, text: str) -> None:
        """Why the command ends."""
        self.tell(f"error: {text}")

    def tell(self, text: str) -> None:
        """What belongs to no answer."""
        self.out.flush()  # what was said before must stand before it, also where both streams go to one file
        sys.stderr.write(f"{redact(text)}\n")
        sys.stderr.flush()


def columns(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows of equal length as aligned text; the columns whose places are in `right` align to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def filled(row: Sequence[str]) -> str:
        cells = enumerate(zip(row, widths, strict=True))
        return GAP.join(text.rjust(width) if place in right else text.ljust(width) for place, (text, width) in cells)

    return "\n".join(filled(row).rstrip() for row in rows)


def plural(count: int, noun: str) -> str:
    """A number with its noun: 1 cell, 2 cells."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
