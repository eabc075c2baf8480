"""What every test may rely on, however the suite was started."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Ctrl-C can be pressed by tests: a shell that starts the suite in the background makes it deaf to that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
