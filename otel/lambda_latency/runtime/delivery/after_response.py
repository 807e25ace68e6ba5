"""The instant of delivery: after the response and before the environment can be frozen.

A hook at the start of the runtime client's `wait_next_invocation` runs between the POST of a response and the GET of
the next event. It releases the delivering thread, an extension's, for which Lambda waits. Without a thread, the hook
itself delivers. If the client does not have the function, spans are delivered before the response.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
from collections.abc import Callable
from math import inf
from typing import Any

from lambda_latency.runtime.delivery.extension import Background, Extension
from lambda_latency.runtime.harmless import harmless, warn


def hook_responses(
    step: Callable[[float], None], at_exit: Callable[[], None], ready: Callable[[], None] = lambda: None
) -> Responses | None:
    """Run `step` after each response; None if there is no hook, so that the caller must run it before responses.

    `step` gets the deadline of the invocation in seconds since 1970, infinite if only the handler's context has it.
    `at_exit` runs when the process itself exits, as after `sys.exit` in a handler or a response that Lambda refuses.
    `ready` runs at the end of init.
    """
    client = sys.modules.get("awslambdaric.lambda_runtime_client")
    owner = getattr(client, "BaseLambdaRuntimeClient", None) or getattr(client, "LambdaRuntimeClient", None)
    original = getattr(owner, "wait_next_invocation", None)
    atexit.register(unless_forked, at_exit, os.getpid())
    if owner is None or original is None:
        warn("the runtime client has no wait_next_invocation; spans are delivered before each response")
        return None
    responses = Responses(step, ready)

    @functools.wraps(original)
    def wait_next_invocation(self: object, *args: Any, **kwargs: Any) -> Any:
        responses.finish()
        return original(self, *args, **kwargs)

    owner.wait_next_invocation = wait_next_invocation
    return responses


def unless_forked(at_exit: Callable[[], None], process: int) -> None:
    """Run `at_exit` in this process only: its forks must not deliver the same spans."""
    if os.getpid() == process:
        at_exit()


class Responses:
    """Its method `finish` runs before the runtime asks for an event: at the end of init, then after each response."""

    def __init__(self, step: Callable[[float], None], ready: Callable[[], None]) -> None:
        self._step, self._ready, self._initialized = step, ready, False
        self._helper: Background | Extension | None = None

    @harmless("starting the thread that delivers spans")
    def begin(self) -> None:
        """Start the thread, after the import of the handler: gevent cannot patch a process that has threads."""
        self._helper = helper(self._step)

    @harmless("delivering spans")
    def finish(self) -> None:
        """The runtime asks for the next event: the init, or the last response, is over."""
        alive = self._helper is not None and self._helper.alive
        if not self._initialized:
            self._initialized = True
            self._ready()
        elif alive and self._helper is not None:
            self._helper.release()
        else:
            self._step(inf)


def helper(step: Callable[[float], None]) -> Background | Extension | None:
    """Start the delivering thread for this environment; None if the runtime's own thread has to deliver."""
    if is_monkey_patched():
        # A thread would be a greenlet, which never runs while the runtime client waits for an event
        return None
    if is_managed():
        return Background(step)
    api = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if not api:
        return None
    return Extension(api, step)


def is_managed() -> bool:
    """Whether this is Lambda Managed Instances: a forked process for each slot serves one request at a time. Nothing is
    frozen, no process is killed at a deadline, and extensions get no INVOKE event.
    """
    return bool(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY"))


def is_monkey_patched() -> bool:
    """Whether gevent or eventlet has patched `threading`, so that its threads are greenlets."""
    gevent, eventlet = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))
