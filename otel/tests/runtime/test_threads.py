"""Work on other threads keeps its parent."""

import asyncio
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest
from opentelemetry.trace import get_current_span

from lambda_latency.runtime.threads import started, unlisted
from tests.runtime.conftest import Function

USERS_OWN: ContextVar[str] = ContextVar("users_own", default="unset")


def in_a_pool(work: Callable[[], None]) -> None:
    """submit"""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def mapped(work: Callable[[], None]) -> None:
    """map"""
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(lambda _: work(), range(1)))


def in_a_thread(work: Callable[[], None]) -> None:
    """Thread(target=...)"""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def in_a_subclass(work: Callable[[], None]) -> None:
    """A Thread with a `run` of its own, which upstream's instrumentation loses."""

    class Worker(threading.Thread):
        def run(self) -> None:
            work()

    thread = Worker()
    thread.start()
    thread.join()


def on_a_timer(work: Callable[[], None]) -> None:
    """Timer"""
    timer = threading.Timer(0, work)
    timer.start()
    timer.join()


def in_a_task(work: Callable[[], None]) -> None:
    """An asyncio task, its executor, and to_thread."""

    async def begin() -> None:
        async def task() -> None:
            await asyncio.get_running_loop().run_in_executor(None, work)

        await asyncio.create_task(task())

    asyncio.run(begin())


def in_a_thread_of_a_task(work: Callable[[], None]) -> None:
    """to_thread"""
    asyncio.run(asyncio.to_thread(work))


WAYS = [in_a_pool, mapped, in_a_thread, in_a_subclass, on_a_timer, in_a_task, in_a_thread_of_a_task]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_span_on_another_thread_is_a_child(function: Function, way: Callable[[Callable[[], None]], None]) -> None:
    """Of the span that was current where the work was handed over."""
    tracer = function.runtime.provider.get_tracer("test")

    def work() -> None:
        tracer.start_span("inner").end()

    def handler(_event: object, _context: object) -> None:
        with tracer.start_as_current_span("outer"):
            way(work)

    function.invoke(handler)
    assert function.trees() == [
        ("orders-create", "SERVER", "UNSET", {}, [
            ("outer", "INTERNAL", "UNSET", {}, [("inner", "INTERNAL", "UNSET", {}, [])])])
    ]  # fmt: skip


def test_a_pools_thread_does_not_keep_a_context(function: Function) -> None:
    """Not of the task before, and none at all between invocations."""
    current: list[Any] = []
    with ThreadPoolExecutor(1) as pool:
        function.invoke(lambda _event, _context: pool.submit(lambda: None).result())
        pool.submit(lambda: current.append(get_current_span())).result()
    assert not current[0].get_span_context().is_valid


def test_users_own_context_variables_stay_as_python_has_them(function: Function) -> None:
    """A pool's thread does not see those of who submits."""

    def handler(_event: object, _context: object) -> str:
        USERS_OWN.set("set")
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(USERS_OWN.get).result()

    assert function.invoke(handler) == "unset"


def test_results_and_errors_come_back_as_ever(function: Function) -> None:
    """Arguments, too."""

    def handler(_event: object, _context: object) -> Any:
        with ThreadPoolExecutor(1) as pool:
            with pytest.raises(ZeroDivisionError):
                pool.submit(divmod, 1, 0).result()
            return pool.submit(dict, a=1).result()

    assert function.invoke(handler) == {"a": 1}


def test_stopping_leaves_threads_as_they_were(start: Callable[..., Function]) -> None:
    """And somebody else's wrapper where it is."""
    originals = (threading.Thread.start, threading.Thread.__dict__["_bootstrap_inner"], ThreadPoolExecutor.submit)
    function = start()
    traced_start = threading.Thread.start

    def theirs(self: threading.Thread) -> None:
        traced_start(self)

    threading.Thread.start = theirs  # type: ignore[method-assign]
    try:
        function.runtime.stop()
        assert threading.Thread.__dict__["start"] is theirs
    finally:
        threading.Thread.start = originals[0]  # type: ignore[method-assign]
    assert (threading.Thread.__dict__["_bootstrap_inner"], ThreadPoolExecutor.submit) == originals[1:]


def test_threads_of_the_runtimes_own_take_no_signal() -> None:
    """They begin with all of them blocked, and the thread that starts them has its own mask afterwards."""
    masks: list[object] = []
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    started(lambda: masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))).wait()
    assert masks == [signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


def test_threads_of_the_runtimes_own_are_in_no_list() -> None:
    """Neither is one that has asked for itself, as `logging` does. Their stacks are not of the function's size."""
    in_list: list[bool] = []

    def listed() -> bool:
        return threading.get_ident() in [thread.ident for thread in threading.enumerate()]

    def work() -> None:
        in_list.append(listed())
        threading.current_thread()
        unlisted()
        in_list.append(listed())

    stack_size = threading.stack_size(64 * 1024)
    try:
        started(work).wait()
        assert (in_list, threading.stack_size()) == ([False, False], 64 * 1024)
    finally:
        threading.stack_size(stack_size)
