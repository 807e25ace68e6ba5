"""The four calls of one library, by one way to ask something of a port of `localhost`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from lab.libraries.place import Place

Ask = Callable[[int, str], Any]


class Patience:
    """How long the calls wait, in seconds: long, but for the one that is to be given up."""

    seconds: float = 20.0


patience = Patience()


def given_up(ask: Ask, port: int, target: str) -> Any:
    """Soon."""
    patience.seconds = 0.4
    try:
        return ask(port, target)
    finally:
        patience.seconds = Patience.seconds


def four(ask: Ask, ok: str, no: str, slow: str = "") -> dict[str, Callable[[Place], Any]]:
    """Without something that is `slow` to answer, the listener that never answers is asked."""
    return {
        "call": lambda place: ask(place.port, ok),
        "error": lambda place: ask(place.port, no),
        "timeout": lambda place: given_up(ask, place.port, slow) if slow else given_up(ask, place.hole, ok),
        "refused": lambda place: ask(place.closed, ok),
    }


def awaited(ask: Callable[[int, str], Awaitable[Any]]) -> Ask:
    """The same in an event loop of its own."""

    async def run(port: int, target: str) -> Any:
        return await ask(port, target)

    return lambda port, target: asyncio.run(run(port, target))
