"""A real browser for tests of pages: Chromium without a screen, driven by ChromeDriver, without any network."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from selenium import webdriver
from selenium.webdriver.remote.webelement import WebElement

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def chromium() -> str:
    """The browser; skips the test where there is none."""
    named = os.environ.get("HLSFLOW_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip(f"no Chromium: none of {', '.join(BROWSERS)} is installed, and HLSFLOW_CHROMIUM is not set")
    return found


def dumped(file: Path, profile: Path) -> str:
    """The document as it is after the page was loaded."""
    argv = [chromium(), *OPTIONS, f"--user-data-dir={profile}", "--dump-dom", file.as_uri()]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser for some pages; skips the test where there is none, or no driver for it."""
    binary, driver = chromium(), next(filter(None, map(shutil.which, DRIVERS)), None)
    if not driver:
        pytest.skip(f"no ChromeDriver: none of {', '.join(DRIVERS)} is installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield Browser(running)
    finally:
        running.quit()


class Browser:
    """One window.

    Args:
        driver: of Selenium.
    """

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, file: Path, width: int = 1400, *, dark: bool = False, scripts: bool = True, media: str = "") -> None:
        """Load a page as seen with a width, light or dark, with its scripts or without, on a screen or for `print`."""
        self._tell("Emulation.setScriptExecutionDisabled", value=not scripts)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._tell("Emulation.setEmulatedMedia", media=media, features=scheme)
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self._tell("Emulation.setDeviceMetricsOverride", **size)
        for kind in ("browser", "performance"):
            self._log(kind)
        self.driver.get("about:blank")
        self.driver.get(file.as_uri())

    def _tell(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def _log(self, kind: str) -> list[dict[str, Any]]:
        """What was written since it was last asked for."""
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries

    def all(self, selector: str) -> list[WebElement]:
        """The elements of a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def visible(self, selector: str) -> list[bool]:
        """Which of them take any place on the page."""
        found: list[bool] = self.ask(
            "[...document.querySelectorAll(arguments[0])].map(e => e.checkVisibility())", selector
        )
        return found

    def one(self, selector: str) -> WebElement:
        """The first of them."""
        return self.driver.find_element("css selector", selector)

    def ask(self, expression: str, *arguments: Any) -> Any:
        """The value of an expression of JavaScript."""
        return self.driver.execute_script(f"return {expression}", *arguments)

    def complaints(self) -> list[str]:
        """What the console says."""
        return [entry["message"] for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """What the page asked for since it was opened."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        sent = [one["params"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in sent]

    def picture(self, whole: bool = True) -> NDArray[np.float32]:
        """What is seen, (height, width, 3 or 4), from 0 to 1."""
        png = self._tell("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))), np.float32) / 255
