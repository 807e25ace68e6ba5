"""The wait of pymongo for a server, with a topology that stands for pymongo's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode

from lambda_latency.runtime.drivers.pymongo import instrument

if TYPE_CHECKING:
    from tests.runtime.conftest import Function


class Topology:
    """Has some servers, and answers or raises."""

    def __init__(self, known: list[str], suitable: list[str], *, fails: bool) -> None:
        self.description = SimpleNamespace(
            known_servers=known,
            apply_selector=lambda _: suitable,
            server_descriptions=lambda: {("db.internal", 27017): 1},
        )
        self._fails = fails

    def select_server(self, selector: Any, operation: str, **_: object) -> str:
        """As pymongo's."""
        if self._fails:
            raise TimeoutError("no server")
        return f"{selector} {operation}"


@pytest.mark.parametrize(
    ("known", "suitable", "fails", "expected"),
    [
        ([], [], True, [("find", "find", StatusCode.ERROR)]),
        (["secondary"], [], True, [("find", "find", StatusCode.ERROR)]),
        ([], [], False, [("connect", None, StatusCode.UNSET)]),
        (["primary"], ["primary"], False, []),
    ],
)
def test_an_operation_that_finds_no_server_has_its_span(
    function: Function,
    known: list[str],
    suitable: list[str],
    fails: bool,
    expected: list[tuple[str, object, StatusCode]],
) -> None:
    """A wait that ends well is a connect: the command that follows has a span of its own."""

    class Own(Topology):
        select_server = Topology.select_server

    face = SimpleNamespace(pool=SimpleNamespace(Pool=type("Pool", (), {"connect": lambda _: None})),
                           topology=SimpleNamespace(Topology=Own))  # fmt: skip
    tracer = function.runtime.provider.get_tracer("lambda_latency.runtime")
    undo = instrument(SimpleNamespace(synchronous=face), tracer)

    def handler(*_: object) -> None:
        try:
            assert Own(known, suitable, fails=fails).select_server("primary", "find") == "primary find"
        except TimeoutError:
            assert fails

    function.invoke(handler)
    while undo:
        undo.pop()()
    spans = [one for one in function.spans if one.name != "orders-create"]
    seen = [(one.name, (one.attributes or {}).get("db.operation"), one.status.status_code) for one in spans]
    assert seen == expected
