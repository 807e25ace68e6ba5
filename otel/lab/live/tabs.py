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
# Listens beside the page: a row counts when the page has handled its event. One tab has the events of the server, and
# spreads them to the others.
WATCH = """
window.watched = {ids: new Set(), late: [], lost: 0};
const handled = (rows) => setTimeout(() => {
  const now = Date.now();
  const { ids, late } = window.watched;
  for (const row of rows) { if (!ids.has(row.id)) late.push(now - row.end); ids.add(row.id); }
}, 0);
window.EventSource = class extends EventSource {
  constructor(...given) {
    super(...given);
    super.addEventListener("lost", () => window.watched.lost++);
    super.addEventListener("message", (event) => handled(JSON.parse(event.data)));
  }
};
new BroadcastChannel(`lambda-latency${location.pathname}`).addEventListener("message", ({ data }) => {
  if (data.isIncomplete) window.watched.lost++;
  handled(data.rows ?? []);
});
"""
TOLD = """
const told = window.watched, late = told.late.sort((a, b) => a - b);
const at = (share) => late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? 0;
return {rows: told.ids.size, p95: at(.95), lost: told.lost};
"""


class Tabs:
    """Tabs that show an address."""

    def __init__(self, address: str, count: int) -> None:
        browser, driver = browser_programs()
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for argument in ARGUMENTS:
            options.add_argument(argument)
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

    def counts(self) -> list[dict[str, Any]]:
        """What each tab has seen: rows, milliseconds from the end of a request to its row, and losses."""
        counts: list[dict[str, Any]] = []
        for handle in self.driver.window_handles:
            self.driver.switch_to.window(handle)
            count: dict[str, Any] = self.driver.execute_script(TOLD)
            metrics = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            count["busy_s"] = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
            counts.append(count)
        return counts
