"""A real headless browser for the tests of the board's pages, and what it asked for and complained of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

MISSING = "chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)"
WIDE = (1400, 1000)
PHONE = (390, 844)


def there() -> bool:
    """Whether there is a browser to test with."""
    return all(shutil.which(name) for name in ("chromium", "chromedriver"))


@dataclass(frozen=True)
class Browser:
    """A browser with one window."""

    driver: webdriver.Chrome

    def open(self, page: Path | str, fragment: str = "") -> None:
        """Show a page anew."""
        self.driver.get("about:blank")
        self.driver.get((page if isinstance(page, str) else page.resolve().as_uri()) + fragment)

    def all(self, selector: str) -> list[str]:
        """The texts of the elements that are shown."""
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].filter((e) => e.offsetParent !== null)"
            ".map((e) => e.innerText.trim())", selector)
        return found

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script."""
        return self.driver.execute_script(script, *arguments)

    def click(self, selector: str) -> None:
        """Press the first element that is found."""
        self.driver.find_element("css selector", selector).click()

    def resize(self, size: tuple[int, int]) -> None:
        """Give the page itself this size, as a phone's is."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600})

    def complaints(self) -> list[str]:
        """What was written to the console since the last call."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last call, but for those that hold their own data."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        found = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in found if not url.startswith(("data:", "about:"))]


@contextmanager
def browser(folder: Path, extra: Sequence[str] = ()) -> Iterator[Browser]:
    """A browser whose profile lies in `folder`."""
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
        f"--user-data-dir={folder}", f"--window-size={WIDE[0]},{WIDE[1]}", *extra,
    ):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.set_page_load_timeout(120)
        yield Browser(driver)
    finally:
        driver.quit()
