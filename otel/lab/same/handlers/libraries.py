"""What libraries look like from outside: names, signatures, pickles, patches of users."""

import copy
import gc
import importlib
import inspect
import pickle
import sys
import threading
import unittest.mock
import warnings

import requests
import urllib3


def signatures(event, context):
    functions = [
        requests.get,
        requests.Session.request,
        requests.Session.send,
        urllib3.HTTPConnectionPool.urlopen,
        threading.Thread.start,
    ]
    return [
        [function.__name__, function.__module__, str(inspect.signature(function)), (function.__doc__ or "")[:40]]
        for function in functions
    ]


def copied(event, context):
    functions, session = (requests.get, requests.Session.send, threading.Thread.start), requests.Session()
    again = pickle.loads(pickle.dumps(session))
    return [
        [pickle.loads(pickle.dumps(function)) is not None for function in functions],
        [type(copy.copy(session)).__name__, type(copy.deepcopy(session)).__name__, again.headers["Accept"]],
    ]


def reloaded(event, context):
    before = requests.models
    return [importlib.reload(requests.models) is before, requests.Session().headers["User-Agent"].split("/")[0]]


def imported_again(event, context):
    saved = sys.modules.pop("requests.structures")
    again = importlib.import_module("requests.structures")
    sys.modules["requests.structures"] = saved
    return [again is saved, again.__name__, again.__spec__.loader.__class__.__name__]


def specifications(event, context):
    import email.mime.text as lazily

    spec = requests.__spec__
    found = [importlib.util.find_spec(name) is not None for name in ("json", "sqlite3", "not_there")]
    return [spec.name, type(spec.loader).__name__, spec.cached is not None, requests.__loader__ is spec.loader,
            lazily.__spec__.loader.__class__.__name__, found]  # fmt: skip


def missing_name(event, context):
    from requests import not_there  # noqa: F401


class Asked:
    """A finder that finds nothing, before all others."""

    def __init__(self):
        self.names = []

    def find_spec(self, name, path=None, target=None):
        self.names.append(name)


def asked_once(event, context):
    asked = Asked()
    sys.meta_path.insert(0, asked)
    try:
        for name in ("sqlite3", "sqlite3.dbapi2"):
            sys.modules.pop(name, None)
        importlib.import_module("sqlite3")
    finally:
        sys.meta_path.remove(asked)
    return [name for name in asked.names if name.partition(".")[0] == "sqlite3"]


def warned(event, context):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        requests.get  # noqa: B018
        warnings.warn("own", stacklevel=1)
        return [str(one.message) for one in caught]


def interpreter(event, context):
    gc.collect()
    return [gc.isenabled(), gc.get_threshold(), gc.garbage, sys.getrecursionlimit(), sys.getswitchinterval(), sys.getprofile(), sys.gettrace(), sys.argv[1:],
            sys.flags.optimize, sys.excepthook is sys.__excepthook__,
            threading.excepthook is threading.__excepthook__, sys.unraisablehook is sys.__unraisablehook__, sys.dont_write_bytecode, str(warnings.filters)[:2000]]  # fmt: skip


def path(event, context):
    return [entry for entry in sys.path if "lambda_latency" not in entry]


def deep_recursion(event, context):
    """How deep user code can go: not less than a few frames of what it could without us."""

    def down(number):
        return number if number == 0 else 1 + down(number - 1)

    return down(sys.getrecursionlimit() - 60)


def validated(event, context):
    import pydantic

    class Order(pydantic.BaseModel):
        id: int

    return Order.model_validate(event).model_dump()
