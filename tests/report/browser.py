"""A headless Chromium of one's own, driven by selenium: nothing of a user's, and no question to anybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

TOOLS = Path(__file__).resolve().parents[2] / ".tools"
AXE = TOOLS / "axe" / "axe.min.js"
#: Whoever is root has no sandbox; the rest keeps the browser from asking its maker for anything.
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
    "--hide-scrollbars", "--lang=en",
)  # fmt: skip


def _program(*names: str) -> str:
    for name in names:
        if (found := os.environ.get(name) or shutil.which(name)) is not None:
            return found
    raise FileNotFoundError(f"there is no {names[-1]} here: run scripts/get_browser.sh")


@contextmanager
def chromium(*, width: int = 1280, height: int = 900) -> Iterator[Chrome]:
    """The browser, with a window of that size."""
    with TemporaryDirectory(prefix="upstreamsync-chromium-", ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = _program("CHROMIUM", "chromium", "google-chrome")
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = Chrome(options=options, service=Service(_program("CHROMEDRIVER", "chromedriver")))
        try:
            driver.set_script_timeout(120)
            yield driver
        finally:
            driver.quit()


def show(driver: Chrome, *, dark: bool = False, width: int = 1280, height: int = 900) -> None:
    """Show pages as to somebody who likes them dark or light, on a screen of that size."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
