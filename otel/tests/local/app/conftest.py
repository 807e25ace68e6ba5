"""The app of `shop/`, up for all tests: its functions in the sandbox, its resources in the emulator."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.apps import CACHE, READY, VERSION
from lambda_latency.local.app.read.app import App, read_app
from lambda_latency.local.app.serve.session import Renewal
from lambda_latency.local.app.serve.system import Options, System
from lambda_latency.local.cloud.emulator import clients
from lambda_latency.local.gateway.api_gateway import Answered
from lambda_latency.trace import Trace, read_trace
from tests.local.calls import call
from tests.local.ports import port_of
from tests.sandbox.state import until

SHOP = Path(__file__).with_name("shop")
PATIENCE_S = 120  # a busy machine is slow to start environments
needs_packages = pytest.mark.skipif(not READY.exists(), reason="python -m lab apps (make test says it)")


@dataclass
class Shop:
    """The app as whoever serves it sees it."""

    system: System
    folder: Path
    told: list[str]
    lines: list[tuple[str, str]]
    answered: list[Answered]
    changed: threading.Condition
    client: Callable[[str], Any] = field(init=False)

    def __post_init__(self) -> None:
        self.client = clients(self.system.aws_url)

    def physical(self, name: str) -> str:
        """What the resource is called."""
        return self.system.stack.resources[name][0]

    def result(self, function: str, event: Any) -> Any:
        """What a function returns."""
        return json.loads(self.system.invoke(function, json.dumps(event).encode()).payload)

    def events(self, function: str) -> list[Any]:
        """What a function was given so far."""
        return [
            json.loads(line[6:]) for name, line in list(self.lines) if name == function and line.startswith("EVENT ")
        ]

    def event(self, function: str, what: str) -> Any:
        """The first event of a function that holds a text; waits for it."""
        found: list[Any] = []

        def there() -> bool:
            found[:] = [one for one in self.events(function) if what in json.dumps(one)]
            return bool(found)

        with self.changed:
            assert self.changed.wait_for(there, PATIENCE_S), (function, self.events(function))
        return found[0]

    def fire(self, schedule: str) -> int:
        """Have a schedule's event come now; the status."""
        return call(port_of(self.system.aws_url), "POST", f"/_lambda-latency/schedules/{schedule}").status

    def handled(self, route: str) -> Answered:
        """The first request or event of a route; waits for it."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(one.route == route for one in self.answered), PATIENCE_S), route
        return next(one for one in self.answered if one.route == route)

    def trace(self, trace_id: str, spans: int) -> Trace:
        """A trace, once it has so many spans."""
        found: list[Trace] = []

        def complete() -> bool:
            one = read_trace(self.system.store.path, trace_id)
            found[:] = [one] if one is not None else []
            return one is not None and len(one.spans) >= spans

        assert until(complete, PATIENCE_S), [span.name for one in found for span in one.spans]
        return found[0]


def copied(folder: Path) -> Path:
    """The app in a folder of its own, for the Python that runs the tests and with a requirement that lies beside it."""
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    template = folder / "template.yaml"
    template.write_text(template.read_text().replace("python3.11", f"python{VERSION[0]}.{VERSION[1]}"))
    wheel = folder / "code" / "required-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("required.py", 'WORD = "from the requirement"\n')
        packed.writestr("required-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: required\nVersion: 1.0\n")
        packed.writestr(
            "required-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        packed.writestr("required-1.0.dist-info/RECORD", "")
    (folder / "code" / "requirements.txt").write_text(f"./{wheel.name}\n")
    return template


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Up, with every event and line it tells of."""
    folder = tmp_path_factory.mktemp("app") / "shop"
    with up(read_app(copied(folder), {}), folder) as shop:
        yield shop


@contextmanager
def up(app: App, folder: Path) -> Iterator[Shop]:
    """An app that is up, its traces in a folder."""
    changed = threading.Condition()
    told: list[str] = list(app.notes)
    lines: list[tuple[str, str]] = []
    answered: list[Answered] = []

    def heard(into: list[Any]) -> Callable[..., None]:
        def hear(*what: Any) -> None:
            with changed:
                into.append(what if len(what) > 1 else what[0])
                changed.notify_all()

        return hear

    system = System(
        app,
        Options(folder / "out", cache=CACHE),
        answered=heard(answered),
        log=heard(lines),
        tell=heard(told),
        before=Renewal(app),
    )
    try:
        yield Shop(system, folder, told, lines, answered, changed)
    finally:
        system.close()
