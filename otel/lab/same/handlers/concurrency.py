"""Threads, pools, processes and event loops."""

import asyncio
import concurrent.futures
import contextvars
import multiprocessing
import os
import queue
import random
import subprocess
import sys
import threading
import time

import requests

PEER = os.environ["PEER"]
VARIABLE = contextvars.ContextVar("variable", default="unset")
LOOP = asyncio.new_event_loop()
OURS = ("LAMBDA_LATENCY_", "OTEL_EXPORTER", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM", "PEER", "AWS_ENDPOINT")


def ask(what):
    return requests.get(f"{PEER}/http/{what}", timeout=10).json()["path"]


class Worker(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.got = None

    def run(self):
        self.got = ask("subclass")


def thread(event, context):
    got = []
    workers = [threading.Thread(target=lambda: got.append(ask("thread")), name="worker"), Worker()]
    for worker in workers:
        worker.start()
        worker.join()
    return [got, workers[1].got]


def pool(event, context):
    with concurrent.futures.ThreadPoolExecutor(3, thread_name_prefix="p") as workers:
        return list(workers.map(ask, ["a", "b", "c"]))


def context_variables(event, context):
    VARIABLE.set("request")
    seen = []
    worker = threading.Thread(target=lambda: seen.append(VARIABLE.get()))
    worker.start()
    worker.join()
    copied = contextvars.copy_context()
    copied.run(VARIABLE.set, "copy")
    with concurrent.futures.ThreadPoolExecutor(1) as workers:
        seen.append(workers.submit(copied.run, VARIABLE.get).result())
    return [*seen, VARIABLE.get()]


def own_context_variables(event, context):
    return sorted(v.name for v in contextvars.copy_context() if v.name != "current_context")


def in_an_empty_context(event, context):
    return contextvars.Context().run(ask, "x")


def background(event, context):
    def later():
        time.sleep(event["s"])
        print("later", flush=True)

    threading.Thread(target=later, daemon=True).start()
    return "at once"


def a_loop(event, context):
    async def one(what):
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(ask, what)

    async def all_of_them():
        return await asyncio.gather(one("x"), one("y"))

    return asyncio.run(all_of_them())


def own_loop(event, context):
    async def work():
        return await LOOP.run_in_executor(None, ask, "loop")

    return LOOP.run_until_complete(work())


def fast_loop(event, context):
    import uvloop

    async def work():
        return [type(asyncio.get_running_loop()).__module__, await asyncio.to_thread(ask, "uv")]

    return uvloop.run(work())


def double(number):
    return [number * 2, ask(f"child-{number}")]


def process_pool(event, context):
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as workers:
        return sorted(workers.map(double, [1, 2]))


def forked(event, context):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, ask("forked").encode())
        finally:
            os._exit(7)
    os.close(write)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read) as answer:
        return [answer.read(), os.waitstatus_to_exitcode(status)]


def command_environment(event, context):
    code = "import json, os, sys; print(json.dumps([dict(os.environ), sorted(sys.modules)]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    import json

    variables, modules = json.loads(done.stdout)
    return [{name: value for name, value in sorted(variables.items()) if not name.startswith(OURS)}, modules]


def random_in_forks(event, context):
    random.seed(7)
    return [random.random(), random.randint(1, 1000)]


def counted(event, context):
    """As functions wait for all that they have started, whoever started it."""
    threading.Thread(target=time.sleep, args=(0.05,)).start()
    limit = time.monotonic() + 5
    while threading.active_count() > 1 and time.monotonic() < limit:
        time.sleep(0.01)
    return [threading.active_count(), [thread.name for thread in threading.enumerate()]]


def others_joined(event, context):
    threading.Thread(target=time.sleep, args=(0.05,)).start()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(5)
    return threading.active_count()


def send(connection, what):
    connection.send(ask(what))
    connection.close()


def processes(event, context):
    """One that is forked and asks, one in another interpreter, one that fails."""
    answers = []
    for method, what in (("fork", "piped"), ("spawn", "aside")):
        here, there = multiprocessing.Pipe()
        child = multiprocessing.get_context(method).Process(target=send, args=(there, what))
        child.start()
        answers.append(here.recv())
        child.join(10)
        answers.append(child.exitcode)
    failing = multiprocessing.get_context("fork").Process(target=int, args=("x",), name="child")
    failing.start()
    failing.join(10)
    return [*answers, failing.exitcode]


def work_in_thread(work):
    worker = threading.Thread(target=work, name="worker")
    worker.start()
    worker.join()


def failing_thread():
    work_in_thread(lambda: 1 / 0)


def thread_hook():
    seen = []
    threading.excepthook = lambda args: seen.append([args.exc_type.__name__, str(args.exc_value)])
    work_in_thread(lambda: 1 / 0)
    threading.excepthook = threading.__excepthook__
    return seen


def timer():
    done = threading.Event()
    threading.Timer(0.05, done.set).start()
    return done.wait(5)


def thread_local():
    local = threading.local()
    local.x = 1
    with concurrent.futures.ThreadPoolExecutor(1) as workers:
        return workers.submit(hasattr, local, "x").result()


async def fail():
    raise ValueError("in a task")


async def failing_tasks():
    return [repr(result) for result in await asyncio.gather(fail(), fail(), return_exceptions=True)]


async def task_never_awaited():
    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0.01)
    del task


def forked_and_exits():
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        sys.exit(6)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


WORK = {
    "failing thread": failing_thread,
    "thread hook": thread_hook,
    "timer": timer,
    "thread local": thread_local,
    "loop": asyncio.get_running_loop,
    "failing tasks": lambda: asyncio.run(failing_tasks()),
    "task never awaited": lambda: asyncio.run(task_never_awaited()),
    "forked and exits": forked_and_exits,
    "failing command": lambda: subprocess.run(["/bin/false"], check=True),
}


def worked(event, context):
    """Calls nobody."""
    return WORK[event["work"]]()
