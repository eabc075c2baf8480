"""What is taken out of words, and what is left in them."""

from __future__ import annotations

import pytest

from bench.redact import redact, redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--storage postgresql://ann:pa55@db/x", "--storage postgresql://***@db/x"),
        ("mysql+pymysql://ann:p@ss@db:3306/x failed", "mysql+pymysql://***@db:3306/x failed"),
        ("postgresql://ann:pa/55@db/x", "postgresql://***@db/x"),
        ("https://token@hub.example.org/a/b", "https://***@hub.example.org/a/b"),
        ("no run in postgresql:/ann:pa55@db/x", "no run in postgresql:/***@db/x"),
        ("'postgresql://ann:pa55@db/x'", "'postgresql://***@db/x'"),
        ("connect to db?user=ann&password=pa55&ssl=1", "connect to db?user=ann&password=***&ssl=1"),
        ("Bearer hf_abcdefghijklmnopqrstuvwxyz", "Bearer ***"),
        ("WANDB_API_KEY=0123 python", "WANDB_API_KEY=*** python"),
        ("password='open sesame' host=db", "password=*** host=db"),
        ('{"password": "pa55", "host": "db"}', '{"password": ***, "host": "db"}'),
        ("bench --password pa55 --out x", "bench --password *** --out x"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "sentiment/bert-mini/lora[r=8]@100", "write to ann@example.org", "https://example.org/a@b", "http://localhost:80/a@b",
        "python -m bench run --models ./model --seeds 1,2", "unknown token 'x'; Did you mean 'tokens'?", "hf_hub",
    ],
)  # fmt: skip
def test_all_else_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_secrets_of_the_environment_are_found_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef")
    monkeypatch.setenv("MY_SERVICE_PASSWORD", "open sesame")
    monkeypatch.setenv("DATABASE_URL", "mysql://ann:pa55word@db/x")
    monkeypatch.setenv("SHORT_TOKEN", "no")
    assert redact("key 0123456789abcdef, no open sesame!") == "key ***, no ***!"
    assert redact("access denied (using pa55word)") == "access denied (using ***)"


def test_every_text_of_a_value_is_looked_at() -> None:
    value = {"a": ["x://u:p@h", 1, None], "b": {"c": "x://u:p@h"}}
    assert redacted(value) == {"a": ["x://***@h", 1, None], "b": {"c": "x://***@h"}}
