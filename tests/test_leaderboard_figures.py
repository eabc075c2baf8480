"""How numbers and foreign text are written."""

from __future__ import annotations

import pytest

from leaderboard import figures


@pytest.mark.parametrize(("value", "text"), [
    (None, figures.UNKNOWN), (0, "0"), (999, "999"), (999.7, "1.0 k"), (1234, "1.2 k"), (99_960, "100 k"),
    (999_940, "1.0 M"), (2_310_000, "2.3 M"), (1.2e9, "1.2 B"),
])
def test_counts_have_three_digits(value: float | None, text: str) -> None:
    assert figures.count(value) == text


@pytest.mark.parametrize(("value", "text"), [(512, "512 B"), (8.54e8, "854 MB"), (2.0e9, "2.0 GB"), (3e15, "3000 TB")])
def test_sizes_are_decimal(value: float, text: str) -> None:
    assert figures.size(value) == text


@pytest.mark.parametrize(("value", "text"), [
    (0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1m 00s"), (200, "3m 20s"),
    (3599.7, "1h 00m"), (3900, "1h 05m"),
])
def test_durations_never_show_sixty(value: float, text: str) -> None:
    assert figures.seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(3.2e-4, "3.2e-4"), (1e-3, "1.0e-3"), (0.5, "5.0e-1")])
def test_rates_have_two_digits(value: float, text: str) -> None:
    assert figures.rate(value) == text


def test_what_is_rounded_to_0_has_no_sign() -> None:
    assert (figures.score(-0.04), figures.signed(-0.04), figures.percent(-0.004)) == ("0.0", "+0.0", "0%")
    assert figures.interval(-0.04, 0.04) == "[0.0, 0.0]"
    assert (figures.score(-0.06), figures.signed(-0.06), figures.percent(-0.35)) == ("-0.1", "-0.1", "-35%")


def test_ratios_keep_the_digit_that_matters() -> None:
    assert figures.measure(1.04, "length_ratio") == "1.04"
    assert figures.measure(61.04, "rouge1") == "61.0"


def test_unknown_is_a_dash_or_nothing() -> None:
    assert figures.score(None) == figures.rate(None) == figures.seconds(None) == figures.UNKNOWN
    assert figures.spread(None) == figures.interval(None, 3.0) == ""


def test_foreign_text_cannot_steer_a_terminal() -> None:
    assert figures.plain("a\x1b[31mred\x07\n\tb\u202ec\u200b") == "a [31mred b c"


def test_letters_of_any_script_are_kept() -> None:
    assert figures.plain("Zażółć 日本 हिन्दी €") == "Zażółć 日本 हिन्दी €"


def test_a_cut_is_marked() -> None:
    assert figures.shorten("abcdef", 4) == "abc…"
    assert figures.shorten("abcd", 4) == "abcd"
