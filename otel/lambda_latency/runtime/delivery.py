"""When spans are delivered: once the response is out and before the environment can be frozen.

The moment is known by a hook at the top of the runtime client's `wait_next_invocation`, between the POST of a response
and the GET of the next event. There a thread is released, which Lambda waits for if it is an extension's; where there
is none, the spans are delivered on the spot. Where the client has no such function, they are delivered before the
response.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from lambda_latency.runtime.harmless import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_latency.runtime.extension import Background, Extension

__all__ = ["Responses", "hook_responses", "is_managed", "is_monkey_patched"]


def hook_responses(
    step: Callable[[], None], last: Callable[[], None], ready: Callable[[], None] = lambda: None
) -> Responses | None:
    """Run `step` after each response from now on; None if there is no hook, and it has to be run before them.

    `last` runs where the process ends by itself: `sys.exit` in a handler, a response that Lambda refuses. `ready` runs
    at the end of init.
    """
    client = sys.modules.get("awslambdaric.lambda_runtime_client")
    owner = getattr(client, "BaseLambdaRuntimeClient", None) or getattr(client, "LambdaRuntimeClient", None)
    original = getattr(owner, "wait_next_invocation", None)
    atexit.register(unless_forked, last, os.getpid())
    if owner is None or original is None:
        warn("the runtime client has no wait_next_invocation; spans are delivered before each response")
        return None
    responses = Responses(step, ready)

    @functools.wraps(original)
    def wait_next_invocation(self: object, *args: Any, **kwargs: Any) -> Any:
        responses.out()
        return original(self, *args, **kwargs)

    owner.wait_next_invocation = wait_next_invocation
    return responses


def unless_forked(last: Callable[[], None], process: int) -> None:
    """What waits is that process's to deliver, and not that of its forks."""
    if os.getpid() == process:
        last()


class Responses:
    """Told each time the runtime is about to ask for an event: first at the end of init, then after each response."""

    def __init__(self, step: Callable[[], None], ready: Callable[[], None]) -> None:
        self._step = step
        self._ready = ready
        self._initialized = False
        self._helper: Background | Extension | None = None

    def begin(self) -> None:
        """The handler's module is imported. Not before: gevent cannot patch a process that has threads."""
        self._helper = helper(self._step)

    def out(self) -> None:
        """A response is out."""
        alive = self._helper is not None and self._helper.alive
        if not self._initialized:
            self._initialized = True
            self._ready()
        elif alive and self._helper is not None:
            self._helper.release()
        else:
            self._step()


def helper(step: Callable[[], None]) -> Background | Extension | None:
    """The thread that suits this environment; None where the runtime's own has to deliver."""
    if is_monkey_patched():
        return None  # a thread would be a greenlet, which never runs while the runtime client waits for an event
    from lambda_latency.runtime.extension import Background, Extension

    if is_managed():
        return Background(step)
    api = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if not api:
        return None
    return Extension(api, step)


def is_managed() -> bool:
    """Lambda Managed Instances: the runtime client forks a process for each of so many slots, and each of them serves
    one request at a time. Nothing is frozen, nothing is killed at a deadline, extensions hear of no invocation.
    """
    return bool(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"))


def is_monkey_patched() -> bool:
    """Whether `threading` makes greenlets: gevent or eventlet has patched it."""
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))
