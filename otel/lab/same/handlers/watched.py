"""Functions that watch the interpreter: traces, profiles, collections, stacks, limits."""

import atexit
import cProfile
import faulthandler
import gc
import io
import logging
import logging.config
import multiprocessing
import os
import pstats
import sys
import tempfile
import threading
import tracemalloc
import traceback
import weakref

import requests

HTTP = f"{os.environ['PEER']}/http"


def get(what):
    return requests.get(f"{HTTP}/{what}", timeout=10).status_code


def traced(event, context):
    """As coverage does it, threads too."""
    seen = []

    def watch(frame, what, argument):
        if frame.f_code.co_filename == __file__:
            seen.append(f"{frame.f_code.co_name} {what}")
            return watch
        return None

    sys.settrace(watch)
    threading.settrace(watch)
    try:
        thread = threading.Thread(target=get, args=("traced",))
        thread.start()
        thread.join()
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return seen


def profiled(event, context):
    profile = cProfile.Profile()
    status = profile.runcall(get, "profiled")
    out = io.StringIO()
    pstats.Stats(profile, stream=out).print_stats("watched")
    return [status, "watched.py" in out.getvalue()]


def allocations(event, context):
    tracemalloc.start(5)
    try:
        kept = [object() for _ in range(100)]
        status = get("allocations")
        found = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, __file__)])
        return [status, len(kept), bool(found.statistics("lineno"))]
    finally:
        tracemalloc.stop()


def collections(event, context):
    seen = []

    def called(phase, info):
        seen.append(phase)

    gc.collect()
    gc.callbacks.append(called)
    try:
        gc.collect()
        first = seen[:]
        return [first, get("collections"), gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)]
    finally:
        gc.callbacks.remove(called)


def finalized(event, context):
    session, seen = requests.Session(), []
    weakref.finalize(session, seen.append, "final")
    reference = weakref.ref(session)
    session.get(f"{HTTP}/finalized", timeout=10)
    del session
    gc.collect()
    return [reference() is None, seen]


def dumped(event, context):
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=False)
        file.seek(0)
        return [line.strip() for line in file if "watched.py" in line]


def hooks(event, context):
    seen = []

    def told(args):
        names = [frame.name for frame in traceback.extract_tb(args.exc_traceback) if "watched" in frame.filename]
        seen.append([args.exc_type.__name__, str(args.exc_value), names])

    def fails():
        raise KeyError("in a thread")

    real, threading.excepthook = threading.excepthook, told
    try:
        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()
    finally:
        threading.excepthook = real
    return [seen, sys.excepthook is sys.__excepthook__, real is threading.__excepthook__,
            sys.unraisablehook is sys.__unraisablehook__]  # fmt: skip


def shallow(event, context):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(220)
    try:
        return get("shallow")
    finally:
        sys.setrecursionlimit(before)


def no_files_left(event, context):
    import resource

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


def piped(event, context):
    """Lambda has no shared memory: processes answer through pipes."""
    forks = multiprocessing.get_context("fork")
    answers = []
    for number in range(2):
        here, there = forks.Pipe()
        process = forks.Process(target=lambda: there.send([number, get(f"piped/{number}")]))
        process.start()
        answers.append(here.recv())
        process.join()
        answers.append(process.exitcode)
    return answers


def configured(event, context):
    logging.config.dictConfig(
        {"version": 1, "disable_existing_loggers": True, "formatters": {"own": {"format": "%(name)s|%(message)s"}},
         "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "own", "stream": "ext://sys.stdout"}},
         "root": {"level": "DEBUG", "handlers": ["out"]}}
    )  # fmt: skip
    logging.getLogger("own").debug("at debug")
    try:
        return get("configured")
    finally:
        logging.getLogger().setLevel("WARNING")


def calls_at_exit(event, context):
    atexit.register(lambda: print("at exit", get("aside"), flush=True))
    sys.exit(0)
