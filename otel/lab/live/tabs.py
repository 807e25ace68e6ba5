"""Tabs of a headless browser, and what came to each of them: rows, and how late."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from lab.commands import browser_programs

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--no-first-run",
)
# Listens beside the page: a row counts when the page has handled its event.
WATCH = """
window.watched = {ids: new Set(), late: [], opened: 0, lost: 0, script: 0};
window.EventSource = class extends EventSource {
  constructor(...given) {
    super(...given);
    const told = window.watched;
    super.addEventListener("open", () => told.opened++);
    super.addEventListener("lost", () => told.lost++);
    super.addEventListener("message", (event) => {
      const begun = performance.now();
      const rows = JSON.parse(event.data);
      setTimeout(() => {
        const now = Date.now();
        for (const row of rows) { if (!told.ids.has(row.id)) told.late.push(now - row.end); told.ids.add(row.id); }
      }, 0);
    });
  }
};
"""
TOLD = """
const told = window.watched, late = told.late.sort((a, b) => a - b);
const at = (share) => late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? 0;
return {rows: told.ids.size, p50: at(.5), p95: at(.95), most: late.at(-1) ?? 0, opened: told.opened, lost: told.lost};
"""


class Tabs:
    """Tabs that show an address. `resolved`: a name with a port, and the address that stands for it."""

    def __init__(self, address: str, count: int, resolved: tuple[str, str] | None = None) -> None:
        browser, driver = browser_programs()
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for one in ARGUMENTS:
            options.add_argument(one)
        if resolved is not None:
            options.add_argument(f"--host-resolver-rules=MAP {resolved[0]} {resolved[1]}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        for number in range(count):
            if number:
                self.driver.switch_to.new_window("tab")
            self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
            self.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
            self.driver.get(address)

    def __enter__(self) -> Tabs:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.driver.quit()

    def told(self) -> list[dict[str, Any]]:
        """What each tab has seen: rows, milliseconds from the end of a request to its row, connections, losses."""
        found = []
        for handle in self.driver.window_handles:
            self.driver.switch_to.window(handle)
            one: dict[str, Any] = self.driver.execute_script(TOLD)
            metrics = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            one["busy_s"] = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
            one["console"] = [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]
            found.append(one)
        return found
