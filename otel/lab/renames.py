"""Takes each name that the runtime reads or replaces out of a copy of its package: does the function go on?

The runtime's sources say what it imports, and what its start replaces is recorded. In a copy of the package, or of
Python's own module, each name in turn has another spelling in all files. Functions run with the copy, bare and with the
kit. Both must answer, log and call the same, and the kit writes one line, one for each library that is not traced, or
none if no span is missing. A name that bare functions need too is counted apart. Two changes of `SpanContext` follow.
Status 1 if something is wrong.

Usual time: 20 minutes.
"""

import ast
import json
import os
import re
import subprocess
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lab.progress import Progress
from lab.same.__main__ import LOCK
from lab.same.case import Case
from lab.same.corpus import CORPUS
from lab.same.difference import OURS, differences, said
from lab.same.pythons import prepare
from lab.same.run import KIT, Children, run
from lab.same.tree import untraced
from lab.sampling import add_sampling, sampled

RUNTIME = KIT / "lambda_latency" / "runtime"
# Handlers that use what they are tried with; all others are tried with one HTTP call and two AWS calls.
CASES = {
    "asyncio": ("calls.httpx_asynchronous",),
    "concurrent": ("concurrency.pool",),
    "httpx": ("calls.by_httpx",),
    "pymysql": ("databases.cursor",),
    "sqlalchemy": ("databases.alchemy",),
    "sqlite3": ("databases.cursor",),
    "threading": ("concurrency.thread", "aws.in_threads"),
    "urllib": ("calls.by_urllib",),
}
DEFAULT = ("calls.get", "aws.twice")
NEEDED = "bare functions need it"
CLIENT, MEMBERS = "awslambdaric", "opentelemetry"
OTHERS = ("status_code",)  # of a response of requests, too: its instrumentation would read the other spelling there
# In the environment's Python: what the start of the runtime replaces, and where the files of each package are.
LISTING = """
import importlib, importlib.util, json, sys
from lambda_latency.runtime import replace, settings
names, put = set(), replace.put

def recorded(owner, name, wrapper):
    module = owner.__module__ if isinstance(owner, type) else getattr(owner, "__name__", type(owner).__module__)
    names.add((module.lstrip("_"), name))
    return put(owner, name, wrapper)

replace.put = recorded
from lambda_latency.runtime.libraries import LIBRARIES
from lambda_latency.runtime.setup import Runtime
from lambda_latency.runtime.delivery.sender import Sender
Runtime(settings.Settings.read({}), Sender(settings.Settings.read({}))).start(is_global=True)
for module in ("asyncio", "ssl", "urllib3.connection", "concurrent.futures.thread", *[l.module for l in LIBRARIES]):
    try:
        importlib.import_module(module)
    except ImportError:
        pass
from awslambdaric import bootstrap, lambda_runtime_client as client
from opentelemetry import trace
from opentelemetry.sdk import resources, trace as sdk
kinds = (trace.Link, trace.SpanContext, trace.Status, sdk.Event, sdk.Span, sdk.SpanProcessor, sdk.Tracer,
         sdk.TracerProvider, resources.Resource)
members = {"awslambdaric": (bootstrap, client, client.LambdaRuntimeClient), "opentelemetry": kinds}
members = {package: {name for kind in kinds for name in dir(kind)} for package, kinds in members.items()}
read = [(module, name) for module, name in json.loads(sys.argv[1]) if name in members.get(module, [name])]
print(json.dumps(sorted(pair for pair in {*names, *read} if not hasattr(object, pair[1]))))
"""
PLACES = """
import importlib.util, sys
spec = importlib.util.find_spec(sys.argv[1])
print(*(spec.submodule_search_locations or [spec.origin]), sep="\\n")
"""
ITEMS = "(trace_id, span_id, is_remote, trace_flags, trace_state, is_valid)"
SLOTS = """class SpanContext:
    __slots__ = ("trace_id", "span_id", "is_remote", "trace_flags", "trace_state", "is_valid")

    def __init__(self, trace_id, span_id, is_remote, trace_flags=None, trace_state=None):
        self.trace_id, self.span_id, self.is_remote = trace_id, span_id, is_remote
        self.trace_flags = DEFAULT_TRACE_OPTIONS if trace_flags is None else trace_flags
        self.trace_state = DEFAULT_TRACE_STATE if trace_state is None else trace_state
        self.is_valid = 0 < trace_id < 1 << 128 and 0 < span_id < 1 << 64


class NonRecordingSpan(Span):"""


class Change(NamedTuple):
    """A change of a package: the text of a file becomes another one."""

    name: str
    package: str
    edit: Callable[[str], str]


def main(parser: ArgumentParser) -> int:
    """Try each change, print the wrong ones and the sums."""
    parser.add_argument("--python", default="3.13", help="the version of Python; Lambda's unless given")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="how many changes are tried at once")
    add_sampling(parser, "names")
    options = parser.parse_args()
    python = prepare("same", LOCK, options.python)
    if python is None:
        print(f"Python {options.python} is not here: nothing ran")
        return 1
    changes = sampled(list(all_changes(python)), lambda change: change.name, options, parser)
    progress = Progress("names", len(changes))
    with Children() as processes, ThreadPoolExecutor(options.workers) as pool:
        results = list(pool.map(partial(tried, python, processes, progress), changes))
    needed = sum(result == NEEDED for result in results)
    wrong = sum(bool(result) and result != NEEDED for result in results)
    fine = len(changes) - needed - wrong
    print(f"{len(changes)} names: {fine} the same as bare, {wrong} wrong, {needed} that bare functions need too")
    return int(wrong > 0)


def all_changes(python: Path) -> Iterator[Change]:
    """All names that the runtime reads or replaces, by module, and the two changes of `SpanContext`."""
    read = {pair for path in RUNTIME.rglob("*.py") for pair in names_of(ast.parse(path.read_text("utf-8")))}
    command: list[str | Path] = [python, "-c", LISTING, json.dumps(sorted(read))]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(KIT), "AWS_DEFAULT_REGION": "eu-west-1"}
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    for module, name in json.loads(listed):
        spelling = partial(re.compile(rf"\b{re.escape(name)}\b").sub, f"{name}_renamed")
        yield Change(f"{module}.{name}", module.partition(".")[0], spelling)
    yield Change("SpanContext with a seventh item", "opentelemetry", with_a_seventh_item)
    yield Change("SpanContext with slots", "opentelemetry", with_slots)


def with_a_seventh_item(text: str) -> str:
    """Return the module of `SpanContext` with a longer tuple."""
    return text.replace(ITEMS, f'{ITEMS[:-1]}, "seventh")')


def with_slots(text: str) -> str:
    """Return the module of `SpanContext` with a class that is no tuple."""
    return text.replace("class NonRecordingSpan(Span):", SLOTS) if ITEMS in text else text


def names_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name of each import from OpenTelemetry at run time, and each name that is read of any object."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.startswith("opentelemetry"):
            yield from ((node.module, alias.name) for alias in node.names)
        if isinstance(node, ast.Attribute) and node.attr not in OTHERS:
            yield MEMBERS, node.attr
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            yield CLIENT, str(ast.literal_eval(node.args[1])) if isinstance(node.args[1], ast.Constant) else ""
        yield from names_of(node)


def tried(python: Path, processes: Children, progress: Progress, change: Change) -> str:
    """Run functions with the change; returns what is wrong, which is printed: empty if nothing is."""
    with tempfile.TemporaryDirectory(prefix="renames-") as folder:
        places = subprocess.run([python, "-c", PLACES, change.package], capture_output=True, text=True, check=True)
        source = Path(places.stdout.split("\n")[0])
        mirrored(source, Path(folder) / source.name, change.edit)
        names = CASES.get(change.package, DEFAULT)
        cases = [case for case in CORPUS if case.name in names]
        wrong = next(filter(None, (compared(python, processes, case, folder) for case in cases)), "")
    progress.step(change.name)
    if wrong and wrong != NEEDED:
        print(f"{change.name}: {wrong}", flush=True)
    return wrong


def compared(python: Path, processes: Children, case: Case, folder: str) -> str:
    """Run a case bare and with the kit; returns what is wrong."""
    changed = replace(case, variables={**case.variables, "PYTHONPATH": f"{folder}{os.pathsep}{KIT}"})
    bare = run(changed, python, processes, kit=False)
    if any(outcome.error for outcome in bare.outcomes):
        return NEEDED
    kit = run(changed, python, processes, kit=True)
    lines, missing = said(kit), untraced(changed, kit)
    if different := differences(changed, bare, kit):
        return f"{case.name}: {different[0].subject}: bare {different[0].bare!r}, with the kit {different[0].kit!r}"
    texts = [line.partition(OURS)[2] for line in lines]
    if len(lines) > 1 and not (all(text.startswith(" tracing ") for text in texts) and len(set(texts)) == len(texts)):
        return f"{case.name}: {len(lines)} lines: {lines}"
    return f"{case.name}: {missing}, without a line" if missing and not lines else ""


def mirrored(source: Path, target: Path, edit: Callable[[str], str]) -> bool:
    """Make a copy of a file or a folder, in which Python's sources are edited; returns whether one has changed.

    What stays the same is a link to the original.
    """
    if source.is_dir():
        target.mkdir()
        inner = [path for path in source.iterdir() if path.name != "__pycache__"]
        return True in [mirrored(path, target / path.name, edit) for path in inner]
    text = source.read_text("utf-8") if source.suffix == ".py" else ""
    changed = edit(text)
    if changed == text:
        target.symlink_to(source)
    else:
        target.write_text(changed, "utf-8")
    return changed != text
