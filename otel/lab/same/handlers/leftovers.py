"""Work that runs at odd moments: when objects die, under a tracer or a limit, in threads that outlive an invocation."""

import asyncio
import ctypes
import gc
import os
import queue
import resource
import sys
import threading
import time

import requests

KEPT = []


def get(what="x"):
    return requests.get(f"{os.environ['PEER']}/http/{what}", timeout=5).status_code


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


class Dies:
    def __del__(self):
        print("dies", get())


def deleted(event, context):
    one = Dies()
    one.itself = one
    del one
    gc.collect()


def collected(event, context):
    """At each allocation."""
    seen, usual = [], gc.get_threshold()
    gc.callbacks.append(lambda phase, _: seen.append(phase))
    gc.set_threshold(1, 1, 1)
    status = get()
    gc.set_threshold(*usual)
    gc.callbacks.pop()
    return [status, sorted(set(seen)), len(gc.callbacks)]


def traced(event, context):
    seen = set()

    def tracer(frame, what, _):
        if frame.f_code.co_filename == __file__:
            seen.add(what)
        return tracer

    sys.settrace(tracer)
    status = get()
    sys.settrace(None)
    return [status, sorted(seen)]


def profiled(event, context):
    seen = set()
    sys.setprofile(lambda _, what, __: seen.add(what))
    status = get()
    sys.setprofile(None)
    return [status, sorted(seen)]


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


def kept_loop(event, context):
    if not KEPT:
        KEPT.append(asyncio.new_event_loop())
        threading.Thread(target=KEPT[0].run_forever, daemon=True).start()
    return asyncio.run_coroutine_threadsafe(asyncio.to_thread(get), KEPT[0]).result(10)


def eager_tasks(event, context):
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.to_thread(get, str(number))) for number in range(2)]
        return [task.result() for task in tasks]

    return asyncio.run(main())
