"""A browser as a person uses it: what it shows, by mouse and by keyboard. It waits for states, never for time."""

import base64
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
PATIENCE = 20  # seconds, on a machine that is busy with other things
# A state that lasts over two frames: pictures are drawn by observers, a frame after what they depend on.
SETTLED = (
    "const done = arguments[arguments.length - 1]; requestAnimationFrame(() => requestAnimationFrame(() => done()));"
)


class Browser:
    """Chromium without a window."""

    def __init__(self, program: str, driver: str, *, offline: bool = True) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = program
        for argument in ARGUMENTS:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self._driver = webdriver.Chrome(options=options, service=Service(driver))
        self._command("Performance.enable", {"timeDomain": "threadTicks"})
        self._command("Network.enable", {})
        rate = 0 if offline else -1  # -1: no limit
        self._command(
            "Network.emulateNetworkConditions",
            {"offline": offline, "latency": 0, "downloadThroughput": rate, "uploadThroughput": rate},
        )

    def close(self) -> None:
        """End it."""
        self._driver.quit()

    def size(self, width: int, *, dark: bool = False, height: int = 1000) -> None:
        """The window in pixels, and whether the person prefers it dark. Nothing moves by itself."""
        metrics: dict[str, object] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self._command("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        calm = {"name": "prefers-reduced-motion", "value": "reduce"}
        self._command("Emulation.setEmulatedMedia", {"media": "", "features": [scheme, calm]})

    def print_media(self) -> None:
        """Show what would be printed."""
        self._command("Emulation.setEmulatedMedia", {"media": "print"})

    def pages(self) -> int:
        """How many pages a print of it has."""
        printed = self._command("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
        return len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed["data"])))

    def show(self, address: str) -> None:
        """Go to an address and wait until it is drawn."""
        self._driver.get("about:blank")  # the same page with other words behind the # would not be loaded again
        self._driver.get(address)
        self.settle()

    def settle(self) -> None:
        """Wait until everything is drawn."""
        self._driver.execute_async_script(SETTLED)

    @property
    def address(self) -> str:
        """Where it is."""
        return self._driver.current_url

    def busy_ms(self) -> float:
        """The processor time of the page's main thread since its process started."""
        metrics = self._command("Performance.getMetrics", {})["metrics"]
        return 1000 * float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    def heap_mb(self) -> float:
        """The memory of the page's scripts after a collection."""
        self._command("HeapProfiler.collectGarbage", {})
        metrics = self._command("Performance.getMetrics", {})["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "JSHeapUsedSize")) / 1e6

    def run(self, script: str, *values: object) -> Any:
        """What a script returns; `arguments` are `values`."""
        return self._driver.execute_script(script, *values)

    def wait_for(self, script: str, *values: object) -> Any:
        """What a script hands to its last argument, a function."""
        return self._driver.execute_async_script(script, *values)

    def one(self, selector: str) -> WebElement:
        """The first element of a selector."""
        return self._driver.find_element(By.CSS_SELECTOR, selector)

    def count(self, selector: str) -> int:
        """How many elements of a selector can be seen."""
        script = "return [...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility()).length"
        return int(self.run(script, selector))

    def text(self, selector: str) -> str:
        """The text of an element, with plain spaces between numbers and units."""
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector)).replace("\u202f", " ")

    def click(self, selector: str) -> None:
        """Click an element, where it lies once the list that it was scrolled in is drawn."""
        self.run(
            "document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})", selector
        )
        self.settle()
        self.one(selector).click()
        self.settle()

    def double_click(self, selector: str) -> None:
        """Click an element twice, without moving."""
        element = self.one(selector)
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        ActionChains(self._driver).double_click(element).perform()
        self.settle()

    def drag(self, selector: str, begin: float, end: float) -> None:
        """Drag over an element, between two shares of its width."""
        element = self.one(selector)
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        width = element.rect["width"]
        chain = ActionChains(self._driver).move_to_element_with_offset(element, round((begin - 0.5) * width), 0)
        chain.click_and_hold().move_by_offset(round((end - begin) * width / 2), 0)
        chain.move_by_offset(round((end - begin) * width / 2), 0).release().perform()
        self.settle()

    def drag_area(self, selector: str, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag over an element, between two points in shares of its width and height."""
        element = self.one(selector)
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        size = (element.rect["width"], element.rect["height"])
        offset = [round((share - 0.5) * whole) for share, whole in zip(begin, size, strict=True)]
        by = [round((to - start) * whole) for start, to, whole in zip(begin, end, size, strict=True)]
        chain = ActionChains(self._driver).move_to_element_with_offset(element, *offset)
        chain.click_and_hold().move_by_offset(*by).release().perform()
        self.settle()

    def keys(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            ActionChains(self._driver).send_keys(key).perform()
            self.settle()

    def focus(self, selector: str) -> None:
        """Give an element the keyboard."""
        self.run("document.querySelector(arguments[0]).focus()", selector)

    @property
    def focused(self) -> str:
        """The id of what has the keyboard."""
        return str(self.run("return document.activeElement.id"))

    def until(self, condition: str) -> None:
        """Wait until an expression is true."""
        WebDriverWait(self._driver, PATIENCE).until(lambda _: self.run(f"return {condition}"))

    def console(self) -> list[str]:
        """What was written to the console since it was last asked."""
        written = self._driver.execute("getLog", {"type": "browser"})["value"]
        return [str(entry["message"]) for entry in written]

    def picture(self, path: Path, *, top: int = 0, height: int | None = None) -> None:
        """The whole page as PNG or WebP, or a part of it from `top` on."""
        whole = self.run("return [innerWidth, Math.ceil(document.documentElement.getBoundingClientRect().height)]")
        clip = {"x": 0, "y": top, "width": whole[0], "height": height or whole[1] - top, "scale": 1}
        taken = self._command(
            "Page.captureScreenshot",
            {"format": path.suffix[1:], "quality": 80, "captureBeyondViewport": True, "clip": clip},
        )
        path.write_bytes(base64.b64decode(taken["data"]))

    def _command(self, name: str, values: dict[str, object]) -> Any:
        return self._driver.execute_cdp_cmd(name, values)


def chromium(*, offline: bool = True) -> Iterator[Browser]:
    """Chromium and its driver until the end of the tests, where they are installed; in CI they have to be."""
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        reason = "no chromium and chromedriver: apt install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    browser = Browser(*map(str, programs), offline=offline)
    yield browser
    browser.close()


def cleared(browser: Browser) -> Iterator[Browser]:
    """An empty page of the usual width; at the end the console has to be clean."""
    browser.show("about:blank")
    browser.size(1600)
    browser.console()
    yield browser
    console = browser.console()
    assert console == [], console
