"""What modules do while they are imported; the variable START names which of them this one is.

A function does what the body of such a module does, and returns its handler, if it has one.
"""

import functools
import os
import sys

PEER = os.environ["PEER"]


def get(what="x"):
    import requests

    return requests.get(f"{PEER}/http/{what}", timeout=10).status_code


def asks(event, context):
    return get()


def base():
    """Raises what is no Exception."""
    raise KeyboardInterrupt


def raises():
    print("importing", flush=True)
    raise RuntimeError("no configuration")


def leaves():
    print("leaving", flush=True)
    sys.exit(3)


def missing():
    import not_there  # noqa: F401


def lazy_attribute():
    """The handler comes from the module's own `__getattr__`."""

    def made(name):
        if name == "handler":
            return lambda event, context: "made when asked for"
        raise AttributeError(f"nothing called {name}")

    globals()["__getattr__"] = made


def replaced():
    """Puts something else in its own place."""
    import types

    module = types.ModuleType(__name__)
    module.handler = lambda event, context: "from another module"
    sys.modules[__name__] = module


def counted():
    """How often a module is imported, and as what."""
    sys.imports = [*getattr(sys, "imports", []), __name__]
    return lambda event, context: [sys.imports, __name__, __spec__.name, __file__.rpartition("/")[2]]


def threads():
    """What it finds: no thread but its own, no signal handler, nothing frozen."""
    import gc
    import signal
    import threading

    found = [
        [thread.name for thread in threading.enumerate()],
        threading.active_count(),
        gc.get_freeze_count(),
        str(signal.getsignal(signal.SIGALRM)),
        str(signal.getsignal(signal.SIGTERM)),
        sys.getswitchinterval(),
    ]
    return lambda event, context: found


def modules():
    """Which of the libraries that people mock or configure before their first import are imported already."""
    watched = ("asyncio", "boto3", "botocore", "concurrent.futures.thread", "multiprocessing", "requests", "selectors",
               "ssl", "sqlite3", "subprocess", "urllib3", "uuid", "httpx", "aiohttp", "gevent",
               "google.protobuf")  # fmt: skip
    found = [name for name in watched if name in sys.modules]
    return lambda event, context: found


def stack():
    """Where it is called from: at most one frame more than without us, so only names of its own are told."""
    import inspect

    def handler(event, context):
        return [frame.function for frame in inspect.stack() if "/handlers/" in frame.filename]

    return handler


def own_finder():
    """An import hook of its own, and code that is in no file."""
    from importlib.abc import Loader, MetaPathFinder
    from importlib.machinery import ModuleSpec

    asked = []

    class Made(MetaPathFinder, Loader):
        def find_spec(self, name, path=None, target=None):
            asked.append(name)
            return ModuleSpec(name, self) if name == "made_up" else None

        def create_module(self, spec):
            return None

        def exec_module(self, module):
            module.VALUE = 42

    sys.meta_path.insert(0, Made())
    import made_up

    def handler(event, context):
        import wave  # noqa: F401

        return [made_up.VALUE, "wave" in asked, type(sys.meta_path[0]).__name__]

    return handler


def import_replaced():
    """Counts imports by its own `builtins.__import__`."""
    import builtins

    real, seen = builtins.__import__, []

    def noting(name, *args, **kwargs):
        seen.append(name)
        return real(name, *args, **kwargs)

    builtins.__import__ = noting
    import requests  # noqa: F401

    builtins.__import__ = real
    return lambda event, context: "requests" in seen


def moved():
    """Changes the working directory, the path and variables."""
    os.chdir("/tmp")
    sys.path.insert(0, "/tmp")
    os.environ["SET_BY_USER"] = "1"
    os.environ.pop("AWS_XRAY_CONTEXT_MISSING", None)
    return lambda event, context: [os.getcwd(), sys.path[0], os.environ["SET_BY_USER"],
                                   os.environ.get("AWS_XRAY_CONTEXT_MISSING")]  # fmt: skip


def frozen():
    """Freezes what is there, as web servers do before they fork."""
    import gc

    gc.disable()
    gc.freeze()
    return lambda event, context: [gc.isenabled(), gc.get_freeze_count() > 0]


def decimals():
    """A decimal context of its own, in the main thread's context."""
    import decimal

    decimal.getcontext().prec = 5
    return lambda event, context: [str(decimal.Decimal(1) / 3), decimal.getcontext().prec]


def watcher():
    """A daemon thread of the module's own."""
    import threading

    beats, stop = threading.Event(), threading.Event()

    def beat():
        while not stop.wait(0.01):
            beats.set()

    threading.Thread(target=beat, daemon=True, name="beats").start()

    def handler(event, context):
        beats.clear()
        return beats.wait(5)

    return handler


def forks():
    child = os.fork()
    if child == 0:
        os._exit(9)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return lambda event, context: status


def small_stacks():
    """Many threads on small stacks."""
    import threading

    threading.stack_size(32 * 1024)

    def handler(event, context):
        found = []
        workers = [threading.Thread(target=found.append, args=(number,)) for number in range(20)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return [sorted(found), threading.stack_size()]

    return handler


def warnings_as_errors():
    """Each warning is an error from here on, and so it is in the variable PYTHONWARNINGS of one of its rows."""
    import warnings

    warnings.simplefilter("error")
    import boto3
    import requests  # noqa: F401

    def handler(event, context):
        get("warned")
        return boto3.client("dynamodb").list_tables()["ResponseMetadata"]["HTTPStatusCode"]

    return handler


def read_only_modules():
    """Modules of libraries refuse that anything is replaced in them."""
    import http.client
    import types

    import boto3
    import botocore.client
    import requests

    class ReadOnly(types.ModuleType):
        def __setattr__(self, name, value):
            raise AttributeError(f"{self.__name__}.{name} is read-only")

    for module in (http.client, botocore.client, requests, requests.sessions):
        module.__class__ = ReadOnly
    return lambda event, context: [get(), sorted(boto3.client("dynamodb").list_tables())]


def odd_modules():
    """Entries in sys.modules that are no modules."""

    class Odd:
        __spec__ = __file__ = None
        __path__ = []

        def __getattr__(self, name):
            print("asked for", name)
            raise AttributeError(name)

    sys.modules |= {"odd": Odd(), "nothing": None, "an_object": object()}
    import requests  # noqa: F401

    return asks


def seeded():
    """Random numbers after a seed are the same ones, with our ids between them too."""
    import random

    import requests  # noqa: F401

    random.seed(1)
    first = random.random()

    def handler(event, context):
        get("seeded")
        return [first, random.random(), random.getrandbits(64)]

    return handler


def clients():
    """Clients of the whole module, used at import too."""
    import boto3
    import requests

    table, session = boto3.resource("dynamodb").Table("orders"), requests.Session()
    configuration = session.get(f"{PEER}/http/aside/configuration", timeout=10).json()
    item = table.get_item(Key={"id": "configuration"})["Item"]

    def handler(event, context):
        table.put_item(Item={"id": "1"})
        return [configuration, str(item["n"]), session.get(f"{PEER}/http/now", timeout=10).status_code]

    return handler


def no_threads():
    """No thread of the runtime can start: the system has no room for it."""
    import _thread

    import requests  # noqa: F401

    def refuse(*args, **kwargs):
        raise RuntimeError("can't start new thread")

    _thread.start_new_thread = refuse
    return asks


def proxied():
    """Each new socket goes through a proxy, as PySocks does it: here there is none."""
    import socket

    class Proxied(socket.socket):
        def connect(self, address):
            raise OSError("no proxy")

    socket.socket = Proxied

    def handler(event, context):
        import urllib.request

        try:
            return urllib.request.urlopen(f"{PEER}/http/x", timeout=10).status
        except OSError as error:
            return str(error)

    return handler


def lazy():
    """Imports when it is called."""

    def handler(event, context):
        import boto3

        get("lazy")
        return boto3.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"]

    return handler


def imported_in_thread():
    """Imports its clients in threads, at once."""
    from concurrent.futures import ThreadPoolExecutor
    from importlib import import_module

    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(import_module, ["requests", "boto3", "sqlite3", "urllib.request"]))
    return lambda event, context: [get("threads"), [module.__name__ for module in found]]


def logging_first():
    """Sets its logs up, as most do."""
    import logging

    root = logging.getLogger()
    for handler_of_lambda in root.handlers[:]:
        root.removeHandler(handler_of_lambda)
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
    log = logging.getLogger(__name__)
    log.info("imported")

    def handler(event, context):
        log.debug("called")
        get("logged")
        return len(root.handlers)

    return handler


@functools.cache
def greened():
    """gevent after other imports."""
    import warnings

    warnings.simplefilter("ignore")
    import threading  # noqa: F401

    from gevent import monkey

    monkey.patch_all(ssl=False)

    def handler(event, context):
        import urllib.request

        return urllib.request.urlopen(f"{PEER}/http/late", timeout=10).status

    return handler


def greened_in_request():
    """gevent patches while a request imports what needs it."""
    return lambda event, context: greened()(event, context)


made = globals()[os.environ["START"]]()
if made is not None:
    handler = made
