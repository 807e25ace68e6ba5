"""Exceptions of every kind, and ends of the process."""

import asyncio
import ctypes
import functools
import json
import os
import signal
import sys
import threading
import time
import traceback


class Odd(Exception):
    """Has arguments that cannot be left out, and more than a message."""

    def __init__(self, code, detail):
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text for you")


class Unrepresentable(Exception):
    def __repr__(self):
        raise RuntimeError("no text for you")


class Closed(Exception):
    __slots__ = ()

    def __setattr__(self, name, value):
        raise AttributeError(f"cannot set {name}")


class Base(BaseException):
    pass


def plain(event, context):
    raise ValueError("bad value")


def no_message(event, context):
    raise ValueError


def several(event, context):
    raise ValueError("a", 2, {"three": 3})


def unicode(event, context):
    raise ValueError("grüß \U0001f600 \ud800".encode("utf-8", "replace").decode())


def lines(event, context):
    raise ValueError("first\nsecond\r\nthird\tx")


def long(event, context):
    raise ValueError("x" * 100_000)


def own(event, context):
    raise Odd(42, "answer")


def unprintable(event, context):
    raise Unprintable("x")


def unrepresentable(event, context):
    raise Unrepresentable("x")


class Untrue(Exception):
    """Cannot be compared, hashed or tested for truth."""

    def __bool__(self):
        raise RuntimeError("neither")

    __eq__ = __bool__
    __hash__ = None


def untrue(event, context):
    raise Untrue("x")


def closed(event, context):
    raise Closed("x")


def base(event, context):
    raise Base("not an Exception")


def chained(event, context):
    try:
        json.loads("{")
    except ValueError as error:
        raise KeyError("chained") from error


def during(event, context):
    try:
        raise ValueError("first")
    except ValueError:
        raise KeyError("second")


def suppressed(event, context):
    try:
        raise ValueError("first")
    except ValueError:
        raise KeyError("second") from None


def in_finally(event, context):
    try:
        raise ValueError("first")
    finally:
        {}["missing"]


def noted(event, context):
    error = ValueError("with notes")
    error.add_note("a note")
    raise error


def group(event, context):
    raise ExceptionGroup("several", [ValueError("one"), OSError(2, "two")])


def deep(event, context):
    def down(n):
        if n == 0:
            raise ValueError("at the bottom")
        down(n - 1)

    down(12)


def recursion(event, context):
    return recursion(event, context)


def from_exec(event, context):
    exec(compile("def f():\n    raise ValueError('from exec')\nf()", "<generated>", "exec"))


def syntax(event, context):
    eval("1 +")


def decoding(event, context):
    b"\xff".decode()


def assertion(event, context):
    assert event == {"never"}, "it is not"


def stop_iteration(event, context):
    next(iter(()))


def stop_in_generator(event, context):
    def numbers():
        yield next(iter(()))

    return list(numbers())


def generator_exit(event, context):
    raise GeneratorExit


def memory(event, context):
    raise MemoryError("planned")


def interrupt(event, context):
    raise KeyboardInterrupt


def cancelled(event, context):
    raise asyncio.CancelledError


def timeout(event, context):
    async def wait():
        await asyncio.wait_for(asyncio.sleep(5), 0.01)

    asyncio.run(wait())


def os_error(event, context):
    open("/nonexistent/file")


THE_ONE = ValueError("the same object each time")


def the_same_object(event, context):
    raise THE_ONE


def traced_back(event, context):
    try:
        plain(event, context)
    except ValueError:
        return [line for line in traceback.format_exc().splitlines() if "bootstrap" not in line]


def caught_by_name(event, context):
    try:
        {}["x"]
    except KeyError as error:
        return {"frames": len(traceback.extract_tb(error.__traceback__)), "args": list(error.args)}


def reraising(function):
    @functools.wraps(function)
    def around(event, context):
        try:
            return function(event, context)
        except ValueError as error:
            raise RuntimeError(f"wrapped: {error}") from error

    return around


@reraising
def decorated(event, context):
    raise ValueError("inside")


def exit_nothing(event, context):
    sys.exit()


def exit_three(event, context):
    if event.get("exit"):
        sys.exit(3)
    return "still here"


def exit_text(event, context):
    sys.exit("a last word")


def hard_exit(event, context):
    if event.get("exit"):
        print("before", flush=True)
        os._exit(4)
    return "still here"


def killed(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def aborted(event, context):
    os.abort()


def crashed(event, context):
    ctypes.string_at(0)


def exit_in_thread(event, context):
    thread = threading.Thread(target=sys.exit, args=(5,))
    thread.start()
    thread.join()
    return "still here"


def timed_out(event, context):
    print("waiting", flush=True)
    time.sleep(event["s"])
    return "in time"
