"""Each library against a server: is a call one span, with its names, parts and errors, and the answer the same as bare?

A row is printed for each and held against docs/reference/libraries.md. Status 1 where anything is not as it should be.
Where CI is set, a server that is not installed is a failure too.

Usual time: 4 minutes.
"""

import json
import os
import socket
import subprocess
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.commands import ROOT
from lab.libraries.case import CASES, Library
from lab.libraries.environment import prepared
from lab.libraries.place import Place
from lab.libraries.servers import PACKAGES, Servers
from lab.libraries.table import DOCS, HEAD, row, rows_of, with_rows
from lab.libraries.wrong import differing, wrong
from lab.sampling import add_sampling, sampled
from lambda_latency.local.processes import free_ports

CALL_S = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """A case that was run four ways, and what is wrong with it."""

    case: Library
    row: str = ""
    wrong: tuple[str, ...] = ()
    skipped: str = ""


def main(parser: ArgumentParser) -> int:
    """Run the cases, print the table, say what is wrong."""
    add_sampling(parser, "libraries")
    parser.add_argument("--python", default="", metavar="VERSION", help="the newest that is here unless given")
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    options = parser.parse_args()
    cases = sampled(CASES, lambda case: case.name, options, parser)
    python, ran = prepared(options.python), []
    print("\n".join(HEAD))
    for result in run(cases, python):
        ran.append(result)
        print(result.row or f"| {result.case.name} | {result.skipped} |", flush=True)
    bad = list(problems(ran, None if options.write else rows_of(DOCS.read_text())))
    if options.write:
        DOCS.write_text(with_rows(DOCS.read_text(), {result.case.name: result.row for result in ran if result.row}))
    print("".join(f"NOT {line}\n" for line in bad), end="")
    print(f"{len(ran) - len({line.partition(':')[0] for line in bad})} of {len(ran)} libraries as they should be")
    return int(bool(bad))


def problems(ran: Sequence[Ran], documented: Sequence[str] | None) -> Iterator[str]:
    """Yield a line for each thing that is wrong; rows are compared with those of the docs, unless these are None."""
    yield from (f"{result.case.name}: {problem}" for result in ran for problem in result.wrong)
    if documented is not None:
        undocumented = (result for result in ran if result.row and result.row not in documented)
        yield from (f"{result.case.name}: not as in {DOCS.name}" for result in undocumented)
    if os.environ.get("CI"):
        yield from (f"{result.case.name}: {result.skipped}" for result in ran if result.skipped)


def run(cases: Sequence[Library], python: Path) -> Iterator[Ran]:
    """The results in the order of the cases, as they come; two run at once."""
    hole = socket.create_server(("127.0.0.1", 0), backlog=1024)
    with closing(Servers()) as servers, hole, ThreadPoolExecutor(2) as pool:
        places = {}
        for server in dict.fromkeys(case.server for case in cases):
            port = servers.port(server, python) if server else 1
            (closed,) = free_ports(1)
            places[server] = None if port is None else Place(port, hole.getsockname()[1], closed)
        yield from pool.map(lambda case: tried(case, python, places[case.server]), cases)


def tried(case: Library, python: Path, place: Place | None) -> Ran:
    """A case bare, with the kit, in a request that nobody records, and with spans that the SDK makes."""
    if place is None:
        return Ran(case, skipped=f"skipped: no {case.server} here (Debian's package {PACKAGES[case.server]})")
    said = [ask(case, python, place, how) for how in ("bare", "kit", "unsampled", "sdk")]
    return Ran(case, row(case, said[1]["spans"]), (*wrong(case, *said[:3]), *differing(said[1], said[3])))


def ask(case: Library, python: Path, place: Place, how: str) -> dict[str, Any]:
    """What the child says: the answers, the spans and the log of each of its calls."""
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT / "otel"), str(ROOT)])}
    done = subprocess.run(
        [python, "-W", "ignore", "-m", "lab.libraries.child", case.module, case.name, how, json.dumps(asdict(place))],
        capture_output=True, text=True, env=variables, timeout=CALL_S, check=False, cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{case.name}, {how}: the process ended with {done.returncode}\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
