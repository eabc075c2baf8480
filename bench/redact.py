"""Takes passwords and keys out of words that are to be kept or shown: commands, error messages, reasons.

Knows what secrets look like and where a user keeps those of this project's services; not where the words go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

INSTEAD = "***"

SHORTEST = 6
"""Characters of a secret that is looked for as such: shorter ones would be found inside of words."""

NAMED = re.compile(r"(API_?KEY|_TOKEN|PASSWORD|PASSWD|SECRET|PGPASSWORD|MYSQL_PWD)$", re.IGNORECASE)
"""What the name of an environment variable ends with whose value is a secret."""

IN_URL = re.compile(r"(?<=\w:/)(/?)[^/\s'\"<>]*@")
"""The user and password of a URL, or the token that stands for them; a path makes one slash of two."""

ASSIGNED = re.compile(r"(?i)((?:password|passwd|api[_-]?key|secret)\s*[=:]\s*|token=)(?!\s)[^\s&'\",;)}\]]+")
"""A value after the name of a secret, as in `?password=...`."""

TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}")
"""The hub's tokens, which say what they are."""


def redact(text: str) -> str:
    """The text without secrets: those in the environment, in URLs, and those that are called so."""
    return _redact(text, _known())


def redacted(value: Any) -> Any:
    """A JSON value with every text in it redacted. Names in objects stay."""
    return _redacted(value, _known())


def _redacted(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        return _redact(value, secrets)
    if isinstance(value, dict):
        return {name: _redacted(entry, secrets) for name, entry in value.items()}
    return [_redacted(entry, secrets) for entry in value] if isinstance(value, list) else value


def _redact(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, INSTEAD)
    text = IN_URL.sub(rf"\g<1>{INSTEAD}@", text)
    return TOKEN.sub(INSTEAD, ASSIGNED.sub(rf"\g<1>{INSTEAD}", text))


def _known() -> list[str]:
    """The secrets in this process's environment, longest first: one may be part of another."""
    found = (value for name, value in os.environ.items() if NAMED.search(name) and len(value) >= SHORTEST)
    return sorted(found, key=len, reverse=True)
