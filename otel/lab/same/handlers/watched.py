"""Functions that watch the interpreter, and work at odd moments: when objects die, under a limit, in threads that stay."""

import asyncio
import atexit
import ctypes
import faulthandler
import gc
import os
import queue
import resource
import sys
import tempfile
import threading
import time
import tracemalloc
import weakref

import requests

HTTP = f"{os.environ['PEER']}/http"


def get(what="x"):
    return requests.get(f"{HTTP}/{what}", timeout=10).status_code


def traced(event, context):
    """As coverage and profilers do it, threads too."""
    seen = []

    def watch(frame, what, argument):
        if frame.f_code.co_filename == __file__:
            seen.append(f"{frame.f_code.co_name} {what}")
            return watch
        return None

    sys.settrace(watch)
    sys.setprofile(lambda frame, what, argument: None)
    threading.settrace(watch)
    try:
        get("traced")
        thread = threading.Thread(target=get, args=("traced",))
        thread.start()
        thread.join()
    finally:
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)
    return seen


def allocations(event, context):
    tracemalloc.start(5)
    try:
        kept = [object() for _ in range(100)]
        status = get("allocations")
        found = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__)])
        return [status, len(kept), bool(found.statistics("lineno"))]
    finally:
        tracemalloc.stop()


def dumped(event, context):
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=False)
        file.seek(0)
        return [line.strip() for line in file if "watched.py" in line]


def shallow(event, context):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(220)
    try:
        return get("shallow")
    finally:
        sys.setrecursionlimit(before)


def no_files_left(event, context):
    limits, taken = resource.getrlimit(resource.RLIMIT_NOFILE), []
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    try:
        while True:
            taken.append(os.dup(1))
    except OSError as error:
        try:
            get("aside")
        except OSError as refused:
            return [error.errno, type(refused).__name__]
    finally:
        for one in taken:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def closes_all(event, context):
    """As daemons do in a child."""
    child = os.fork()
    if not child:
        os.closerange(3, 256)
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def calls_at_exit(event, context):
    atexit.register(lambda: print("at exit", get("aside"), flush=True))
    sys.exit(0)


KEPT = []


def finally_clause(event, context):
    def generator():
        try:
            yield 1
        finally:
            print("closed", get())

    left = generator()
    next(left)
    del left
    gc.collect()


def memory_limit(event, context):
    usual = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, usual[1]))
    try:
        bytearray(4_000_000_000)
    except MemoryError as error:
        found = type(error).__name__
    resource.setrlimit(resource.RLIMIT_AS, usual)
    return [found, get()]


def stopped_thread(event, context):
    """By an exception that another thread sets."""
    ready, found = threading.Event(), []

    def work():
        try:
            get()
            ready.set()
            while True:
                time.sleep(0.001)
        except InterruptedError:
            found.append("stopped")

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(10)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(InterruptedError))
    thread.join(10)
    return found


def kept_worker(event, context):
    """A thread that the first invocation starts, and that works for each."""
    if not KEPT:
        KEPT.extend((queue.Queue(), queue.Queue()))
        threading.Thread(target=work_for_ever, args=KEPT, daemon=True).start()
    KEPT[0].put("job")
    return KEPT[1].get(timeout=10)


def work_for_ever(jobs, answers):
    while True:
        answers.put(get(jobs.get()))


def eager_tasks(event, context):
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.to_thread(get, str(number))) for number in range(2)]
        return [task.result() for task in tasks]

    return asyncio.run(main())


def collected(event, context):
    """At each allocation."""
    seen, usual = [], gc.get_threshold()
    gc.callbacks.append(lambda phase, _: seen.append(phase))
    gc.set_threshold(1, 1, 1)
    status = get()
    gc.set_threshold(*usual)
    gc.callbacks.pop()
    return [status, sorted(set(seen)), len(gc.callbacks)]
