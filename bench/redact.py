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

NAMED = re.compile(
    r"(API_?KEY|ACCESS_KEY|PRIVATE_KEY|_TOKEN|_PAT|PASSWORD|PASSWD|_PASS|SECRET|MYSQL_PWD)$", re.IGNORECASE
)
"""What the name of an environment variable ends with whose value is a secret."""

IN_URL = re.compile(r"(?<=\w:/)(/?)(?:[^/\s'\"<>:@]*:(?!\d+/)[^\s'\"<>]*|[^/\s'\"<>]*)@")
"""The user and password of a URL, or the token that stands for them; a path makes one slash of two.

A password may have slashes, which is not a port and a path behind it.
"""

PASSWORD = re.compile(r"\w://[^/\s:@]*:(?!\d+/)([^\s'\"]+)@")
"""The password of a URL: a library may say it without the URL."""

ASSIGNED = re.compile(
    r"(?i)((?:password|passwd|api[_-]?key|secret)['\"]?\s*[=:]\s*|--(?:password|token|api-key)\s+|token=|"
    r"authorization['\"]?\s*[=:]\s*['\"]?(?:bearer|basic)\s+)(?!\s)(?:'[^']*'|\"[^\"]*\"|[^\s&'\",;)}\]]+)"
)
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
    named = [value for name, value in os.environ.items() if NAMED.search(name)]
    in_urls = [word for value in os.environ.values() for word in PASSWORD.findall(value)]
    return sorted({word for word in (*named, *in_urls) if len(word) >= SHORTEST}, key=len, reverse=True)
