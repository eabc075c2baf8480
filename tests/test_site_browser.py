"""The board's site in a real browser: it sorts, filters, compares and asks for nothing, whatever the data say."""

from __future__ import annotations

import functools
import http.server
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.store import Store
from leaderboard import paired, render, versus
from leaderboard.study import of
from tests import site_run
from tests.browser import MISSING, PHONE, WIDE, Browser, browser, there
from tests.loopback import listening

pytestmark = [pytest.mark.skipif(not there(), reason=MISSING), pytest.mark.xdist_group("browser")]

MODELS = "#main tbody tr th"
NER = "#a=ner/bert-mini/full&b=ner/gpt2-mini/full"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = site_run.run(tmp_path_factory.mktemp("runs") / "nightly")
    render.publish(folder)
    return folder


@pytest.fixture(scope="module")
def site(run: Path) -> Path:
    return run / "leaderboard"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = site_run.run(tmp_path_factory.mktemp("runs") / "hostile", hostile=True)
    render.publish(folder)
    return folder / "leaderboard"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def chrome(shared: Browser) -> Iterator[Browser]:
    """Every test fails where a page complained, or asked for anything but the site's own files."""
    shared.resize(WIDE)
    shared.complaints(), shared.requests()
    yield shared
    assert shared.complaints() == []
    assert [url for url in shared.requests() if not url.startswith(("file:///", "http://127.0.0.1:"))] == []


def wait(found: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "the page did not come to that"
        time.sleep(0.05)


def scores(chrome: Browser) -> list[str]:
    return chrome.all("#main tbody td[data-col='0'] .num")


def sort_by(chrome: Browser, col: int, direction: str | None) -> None:
    """Press a column's header, and wait for the table: it sorts after the press is answered."""
    chrome.click(f"#main thead th[data-col='{col}'] .dt-column-order")
    wait(lambda: chrome.run("return document.querySelector(arguments[0]).ariaSort",
                            f"#main thead th[data-col='{col}']") == direction)


def compare(chrome: Browser, site: Path, fragment: str = NER) -> None:
    chrome.open(site / "compare.html", fragment)
    wait(lambda: chrome.all("#verdict"))


def test_a_column_sorts_by_its_numbers_best_first_then_the_other_way(chrome: Browser, site: Path) -> None:
    chrome.open(site / "leaderboard.html")
    before = scores(chrome)
    sort_by(chrome, 0, "descending")
    assert scores(chrome) == sorted(before, key=float, reverse=True)
    sort_by(chrome, 0, "ascending")
    assert scores(chrome) == sorted(before, key=float)
    sort_by(chrome, 0, None)
    assert scores(chrome) == before


def test_a_cell_without_a_score_stays_last_in_either_direction(chrome: Browser, site: Path) -> None:
    chrome.open(site / "leaderboard.html")
    for direction in ("descending", "ascending"):
        sort_by(chrome, 2, direction)
        assert chrome.all("#main tbody td[data-col='2']")[-1] == "DIVERGED"


def test_filters_leave_the_chosen_lines_and_tasks_and_say_how_many(chrome: Browser, site: Path) -> None:
    chrome.open(site / "leaderboard.html")
    assert chrome.all("#tally") == ["6 of 6 lines"]
    chrome.click("input[name=family][value=decoder]")
    chrome.click("input[name=method][value='lora[r=8]']")
    assert chrome.all("#tally") == ["2 of 6 lines"]
    assert chrome.all(MODELS) == ["bert-mini full", "t5-mini full"]
    chrome.click("input[name=col][value='1']")
    assert not chrome.all("#main td[data-col='1'], .card[data-col='1']")
    assert chrome.all("#main td[data-col='0'], .card[data-col='0']")
    chrome.click("button[type=reset]")
    wait(lambda: chrome.all("#tally") == ["6 of 6 lines"])
    assert chrome.all("#main td[data-col='1']")


def test_lines_can_be_found_by_name(chrome: Browser, site: Path) -> None:
    chrome.open(site / "leaderboard.html")
    chrome.driver.find_element("name", "find").send_keys("gpt2")
    assert chrome.all(MODELS) == ["gpt2-mini full", "gpt2-mini lora[r=8]"]


def test_a_score_leads_to_its_cell_and_from_there_to_its_task_and_back(chrome: Browser, site: Path) -> None:
    chrome.open(site / "leaderboard.html")
    chrome.click("#main tbody td a")
    assert chrome.all("h1") == ["bert-mini full"]
    assert "tasks = [\"sentiment\"]" in chrome.all("pre.code")[0]
    assert len(chrome.all(".example")) > 1
    chrome.click("nav a:nth-of-type(2)")
    assert chrome.all("h1")[0].startswith("sentiment")
    chrome.click("nav a")
    assert chrome.all("h1") == ["nightly"]


def test_two_cells_are_compared_with_the_numbers_of_the_statistics(chrome: Browser, run: Path, site: Path) -> None:
    compare(chrome, site)
    store = Store(run)
    group = next(g for g in of(store, store.records()).groups if g.task == "ner")
    assert group.panel is not None
    wanted = paired.compare(group.panel, ("ner", "bert-mini", "full"), ("ner", "gpt2-mini", "full"))
    adjusted = versus.table(group.panel).adjusted[group.panel.place(wanted.one), group.panel.place(wanted.other)]
    said = dict(zip(chrome.all("#difference th"), chrome.all("#difference td"), strict=True))
    assert said["difference, first less second"] == f"{wanted.value:+.1f} points"
    assert said["95% interval"] == f"[{wanted.low:.1f}, {wanted.high:.1f}]"
    chances = ["< 0.001" if p < 0.0005 else f"{p:.3f}" for p in (wanted.p, adjusted)]
    assert [said["p, of this pair alone"], said["p, corrected for all 15 pairs"]] == chances
    assert said["ahead on test rows"].startswith(f"first {100 * wanted.won:.1f}%, second {100 * wanted.lost:.1f}%")
    assert chrome.all("#verdict")[0].startswith("bert-mini full is better than gpt2-mini full")
    assert "anna (PER)" in chrome.all(".example")[0]
    assert len(chrome.all("#slices-table tbody tr")) >= 2


def test_turned_round_the_comparison_says_the_same_the_other_way(chrome: Browser, site: Path) -> None:
    compare(chrome, site)
    before, said = chrome.all("#difference td"), chrome.all("#verdict")
    chrome.click("#swap")
    wait(lambda: chrome.all("#difference td") != before)
    after = chrome.all("#difference td")
    assert after[0] == before[0].replace("+", "-")
    assert (after[2:4], chrome.all("#verdict")) == (before[2:4], said)
    assert "a=ner%2Fgpt2-mini%2Ffull&b=ner%2Fbert-mini%2Ffull" in chrome.driver.current_url


def test_a_cell_compared_with_itself_asks_for_another(chrome: Browser, site: Path) -> None:
    compare(chrome, site)
    chrome.run("const [a, b] = ['a', 'b'].map((id) => document.getElementById(id)); b.value = a.value;"
               "b.dispatchEvent(new Event('change'));")
    wait(lambda: chrome.all("#state") == ["Choose two different cells."])


@pytest.mark.parametrize(("fragment", "said"), [
    ("#a=ner/none/full&b=ner/gpt2-mini/full", "No score with answers to compare is here of ner/none/full."),
    ("#a=ner/bert-mini/full&b=sentiment/bert-mini/full", "did not do the same task"),
])
def test_an_address_of_cells_that_cannot_be_compared_shows_no_other_pair(
    chrome: Browser, site: Path, fragment: str, said: str
) -> None:
    chrome.open(site / "compare.html", fragment)
    wait(lambda: said in chrome.all("#state")[0])
    assert not chrome.all("#verdict")
    assert chrome.driver.current_url.endswith(fragment)
    chrome.click("#swap")
    wait(lambda: chrome.all("#verdict"))


def test_the_keyboard_reaches_a_header_and_sorts(chrome: Browser, site: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    chrome.open(site / "tasks" / "sentiment.html")
    before = chrome.all("#content table tbody th")
    inside = "const h = document.activeElement.closest('thead th'); return h ? h.innerText.trim() : ''"
    keys = ActionChains(chrome.driver)
    for _ in range(30):
        keys.send_keys(Keys.TAB).perform()
        if chrome.run(inside).startswith("accuracy"):
            break
    assert chrome.run(inside).startswith("accuracy")
    assert chrome.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    keys.send_keys(Keys.ENTER).perform()
    keys.send_keys(Keys.ENTER).perform()
    wait(lambda: chrome.all("#content table tbody th") != before)


def test_the_skip_link_is_the_first_thing_that_the_keyboard_reaches(chrome: Browser, site: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    chrome.open(site / "leaderboard.html")
    chrome.driver.find_element("css selector", "body").send_keys(Keys.TAB)
    assert chrome.run("return document.activeElement.className") == "skip"


PAGES = ("leaderboard.html", "compare.html", "tasks/ner.html", "cells/ner/bert-mini/full.html")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_scrolls_sideways_on_a_phone(chrome: Browser, site: Path, page: str) -> None:
    chrome.resize(PHONE)
    chrome.open(site / page)
    wait(lambda: page != "compare.html" or chrome.all("#verdict"))
    assert chrome.run("return document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("page", PAGES)
def test_markup_in_data_and_names_stays_text(chrome: Browser, hostile: Path, page: str) -> None:
    chrome.open(hostile / page)
    wait(lambda: page != "compare.html" or chrome.all("#verdict"))
    assert "gotcha" not in chrome.driver.title
    assert not chrome.run("return [...document.scripts].filter((s) => s.text.startsWith('document.title')).length")


def test_a_hostile_model_has_a_page_a_label_a_slice_and_a_comparison(chrome: Browser, hostile: Path) -> None:
    page = next((hostile / "cells" / "sentiment").glob("evil-*/*.html"))
    chrome.open(page)
    assert site_run.SCRIPT in chrome.all("h1")[0]
    assert any(site_run.SCRIPT in text for text in chrome.all(".example"))
    chrome.click("#health + p + p a")
    wait(lambda: chrome.all("#verdict"))
    assert site_run.SCRIPT in chrome.all(".card")[0]
    assert any(site_run.SCRIPT in text for text in chrome.all("#slices-table th"))
    assert "gotcha" not in chrome.driver.title


def test_a_page_needs_no_file_but_those_of_the_site(chrome: Browser, site: Path) -> None:
    compare(chrome, site)
    chrome.open(site / "leaderboard.html")
    asked = chrome.requests()
    assert asked
    assert all(url.startswith(site.resolve().as_uri()) for url in asked)
    assert sum("leaderboard.html" in url for url in asked) == 1


def test_a_web_server_serves_it_as_well(chrome: Browser, site: Path) -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with listening(functools.partial(Quiet, directory=str(site))) as address:
        chrome.open(f"{address}/compare.html", NER)
        wait(lambda: chrome.all("#verdict"))
        chrome.open("about:blank")


def test_on_paper_there_are_all_rows_and_no_controls(chrome: Browser, site: Path) -> None:
    chrome.open(site / "leaderboard.html")
    chrome.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not chrome.all("#controls input, nav a, .skip, #intervals")
        assert len(chrome.all(MODELS)) == 6
    finally:
        chrome.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
