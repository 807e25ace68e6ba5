"""The requests that are durable executions, and how sentences name them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lambda_latency.trace import EXECUTION_ROUTE


def are_executions(routes: Iterable[str]) -> bool:
    """Whether all requests of these routes are executions; not without a route."""
    listed = [route.startswith(EXECUTION_ROUTE) for route in routes]
    return bool(listed) and all(listed)


def noun_of(routes: Iterable[str]) -> str:
    """Return what requests of these routes are: `execution`, or `request`."""
    return "execution" if are_executions(routes) else "request"


def names_of(routes: Sequence[str]) -> list[str]:
    """Return the routes as they follow their noun: an execution is one of a function."""
    return [route.removeprefix(EXECUTION_ROUTE) for route in routes] if are_executions(routes) else list(routes)
