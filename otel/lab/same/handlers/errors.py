"""Exceptions of every kind, and ends of the process."""

import asyncio
import ctypes
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


class Untrue(Exception):
    """Cannot be compared, hashed or tested for truth."""

    def __bool__(self):
        raise RuntimeError("neither")

    __eq__ = __bool__
    __hash__ = None


def wait():
    async def over():
        await asyncio.wait_for(asyncio.sleep(5), 0.01)

    asyncio.run(over())


RAISED = {
    "no message": ValueError,
    "several arguments": lambda: ValueError("a", 2, {"three": 3}),
    "unicode": lambda: ValueError("grüß \U0001f600 ?"),
    "lines": lambda: ValueError("first\nsecond\r\nthird\tx"),
    "long": lambda: ValueError("x" * 100_000),
    "own": lambda: Odd(42, "answer"),
    "unprintable": lambda: Unprintable("x"),
    "unrepresentable": lambda: Unrepresentable("x"),
    "untrue": lambda: Untrue("x"),
    "closed": lambda: Closed("x"),
    "assertion": lambda: AssertionError("it is not"),
    "memory": lambda: MemoryError("planned"),
    "code in a text": lambda: exec(compile("def f():\n    raise ValueError('from exec')\nf()", "<generated>", "exec")),
    "syntax": lambda: eval("1 +"),
    "decoding": lambda: b"\xff".decode(),
    "no more": lambda: next(iter(())),
    "too late": wait,
    "no file": lambda: open("/nonexistent/file"),
}


def raised(event, context):
    raise RAISED[event["error"]]()


ENDS = {"base": lambda: Base("not an Exception"), "generator exit": GeneratorExit, "interrupt": KeyboardInterrupt,
        "cancelled": asyncio.CancelledError, "exit": SystemExit, "exit with a text": lambda: SystemExit("a last word")}  # fmt: skip


def ended(event, context):
    """What is no Exception, and may end the process."""
    raise ENDS[event["error"]]()


def chained(event, context):
    try:
        json.loads("{")
    except ValueError as error:
        raise KeyError("chained") from error


def noted(event, context):
    error = ValueError("with notes")
    error.add_note("a note")
    raise error


def group(event, context):
    raise ExceptionGroup("several", [ValueError("one"), OSError(2, "two")])


def recursion(event, context):
    return recursion(event, context)


def stop_in_generator(event, context):
    def numbers():
        yield next(iter(()))

    return list(numbers())


THE_ONE = ValueError("the same object each time")


def the_same_object(event, context):
    raise THE_ONE


def traced_back(event, context):
    try:
        plain(event, context)
    except ValueError:
        return [line for line in traceback.format_exc().splitlines() if "bootstrap" not in line]


def exit_three(event, context):
    if event.get("exit"):
        sys.exit(3)
    return "still here"


def hard_exit(event, context):
    if event.get("exit"):
        print("before", flush=True)
        os._exit(4)
    return "still here"


def exit_in_thread(event, context):
    thread = threading.Thread(target=sys.exit, args=(5,))
    thread.start()
    thread.join()
    return "still here"


def timed_out(event, context):
    print("waiting", flush=True)
    time.sleep(event["s"])
    return "in time"


DEATHS = {"kill": lambda: os.kill(os.getpid(), signal.SIGKILL), "abort": os.abort, "crash": lambda: ctypes.string_at(0)}


def dies(event, context):
    DEATHS[event["by"]]()
