"""The app of `shop/`, up for all tests: its functions in the sandbox, its resources in the emulator."""

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
from lambda_latency.local.app.read.app import LocalApp, read_app
from lambda_latency.local.app.serve.session import Renewal
from lambda_latency.local.app.serve.system import System, SystemOptions
from lambda_latency.local.cloud.clients import clients
from lambda_latency.local.front import Answered
from lambda_latency.trace import Trace, read_trace
from tests.local.calls import call, port_of
from tests.sandbox.state import until

SHOP = Path(__file__).with_name("shop")
PATIENCE_S = 120  # a busy machine is slow to start environments
needs_packages = pytest.mark.skipif(not READY.exists(), reason="python -m lab apps (make test says it)")


@dataclass
class Shop:
    """The app as whoever serves it sees it."""

    system: System
    folder: Path
    messages: list[str]
    lines: list[tuple[str, str]]
    answered: list[Answered]
    changed: threading.Condition
    client: Callable[[str], Any] = field(init=False)

    def __post_init__(self) -> None:
        self.client = clients(self.system.aws_url)

    def port(self, name: str) -> int:
        """The port of an API with this logical id, or of the one with a route to this function."""
        leading = [a.key for a in self.system.app.apis if any(r.function == name for r in a.routes.values())]
        return port_of(self.system.urls[name if name in self.system.urls else leading[0]])

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

    def event(self, function: str, text: str) -> Any:
        """The first event of a function that holds a text; waits for it."""
        matching: list[Any] = []

        def there() -> bool:
            matching[:] = [event for event in self.events(function) if text in json.dumps(event)]
            return bool(matching)

        with self.changed:
            assert self.changed.wait_for(there, PATIENCE_S), (function, self.events(function))
        return matching[0]

    def fire(self, schedule: str) -> int:
        """Have a schedule's event come now; the status."""
        return call(port_of(self.system.aws_url), "POST", f"/_lambda-latency/schedules/{schedule}").status

    def handled(self, route: str) -> Answered:
        """The first request or event of a route; waits for it."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(a.route == route for a in self.answered), PATIENCE_S), route
        return next(a for a in self.answered if a.route == route)

    def trace(self, trace_id: str, spans: int) -> Trace:
        """A trace, once it has so many spans."""
        traces: list[Trace] = []

        def complete() -> bool:
            trace = read_trace(self.system.store.path, trace_id)
            traces[:] = [trace] if trace is not None else []
            return trace is not None and len(trace.spans) >= spans

        assert until(complete, PATIENCE_S), [span.name for trace in traces for span in trace.spans]
        return traces[0]


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
def up(app: LocalApp, folder: Path, **options: Any) -> Iterator[Shop]:
    """An app that is up, its traces in a folder."""
    changed = threading.Condition()
    messages: list[str] = list(app.notes)
    lines: list[tuple[str, str]] = []
    answered: list[Answered] = []

    def heard(into: list[Any]) -> Callable[..., None]:
        def hear(*arguments: Any) -> None:
            with changed:
                into.append(arguments if len(arguments) > 1 else arguments[0])
                changed.notify_all()

        return hear

    system = System(
        app,
        SystemOptions(folder / "out", cache=CACHE, **options),
        answered=heard(answered),
        log=heard(lines),
        tell=heard(messages),
        prepare=Renewal(app),
    )
    try:
        yield Shop(system, folder, messages, lines, answered, changed)
    finally:
        system.close()
