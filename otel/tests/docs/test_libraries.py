"""The page of the libraries, held against the code; `lab libraries` holds its first table against what it sees."""

import json
import re
import subprocess
import sys

from lab.libraries.case import CASES
from lab.libraries.servers import PACKAGES
from lab.libraries.table import AGAINST, DOCS, HEAD, rows_of, with_rows
from lambda_latency.runtime.libraries import LIBRARIES, UNTRACEABLE
from tests.docs.pages import page

PAGE = page("reference/libraries.md")
# The X-Ray SDK's other names of them, and what is traced by the library below it.
XRAY = {"httplib": "http.client", "sqlalchemy_core": "sqlalchemy", "mysql": "mysql.connector", "botocore": "boto3",
        "aiobotocore": "aioboto3"}  # fmt: skip
# Those that came after.
LATER = ("boto3", "aioboto3", "urllib", "urllib3", "aiohttp", "grpc", "psycopg async", "psycopg pool", "asyncpg",
         "pymongo async", "redis", "valkey", "elasticsearch", "opensearch", "confluent_kafka", "aiokafka", "pika",
         "sqlite3 Connection.execute")  # fmt: skip


def test_every_library_of_the_corpus_has_a_row() -> None:
    """In its order, with its server and its bucket."""
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows_of(PAGE.text)]
    assert [(row[0], row[1], row[4]) for row in rows] == [(c.name, AGAINST[c.server], c.bucket) for c in CASES]


def test_every_library_of_the_xray_sdk_has_a_row_and_those_that_came_after() -> None:
    """With a SQLAlchemy of each driver."""
    expected = {*(XRAY.get(name, name) for name in _supported_modules()), *LATER}
    rows = {row.split("|")[1].strip() for row in rows_of(PAGE.text)}
    assert {name for name in expected - rows if not any(row.startswith(f"{name} ") for row in rows)} == set()
    drivers = {"psycopg2", "psycopg", "pg8000", "asyncpg", "pymysql", "mysql.connector", "sqlite3"}
    assert {row.removeprefix("sqlalchemy ") for row in rows if row.startswith("sqlalchemy ")} == drivers


def test_every_name_of_the_setting_has_a_row() -> None:
    """With the modules whose import is waited for, and who traces them."""
    expected: dict[str, tuple[list[str], list[str]]] = {}
    for library in LIBRARIES:
        modules, by = expected.setdefault(library.name, ([], []))
        modules.append(library.module)
        by += [who for who, on in (("upstream", library.instrumentor), ("the kit", library.driver)) if on]
    rows = PAGE.table("name | modules | by")
    assert [(name, re.findall(r"`([^`]+)`", modules), by) for name, modules, by in rows] == [
        (f"`{name}`", modules, " and ".join(dict.fromkeys(by))) for name, (modules, by) in expected.items()
    ]


def test_the_page_names_what_nothing_traces() -> None:
    """All of it, and nothing else."""
    section = PAGE.text.split("## Not traced")[1]
    assert set(re.findall(r"`([^`]+)`", section)) == UNTRACEABLE


def test_the_page_names_the_packages_of_the_servers() -> None:
    """Those that a user installs."""
    (command,) = re.findall(r"`apt install (postgresql .*?)`", page("explanation/tests.md").text)
    assert command.split() == list(PACKAGES.values())


def test_a_row_is_written_in_the_place_of_the_old_one() -> None:
    """And the others stay."""
    text = "\n".join(["# Page", *HEAD, "| a | 1 |", "| b | 2 |", "", "End."]) + "\n"
    written = with_rows(text, {"b": "| b | 3 |", "c": "| c | 4 |"})
    assert written == "\n".join(["# Page", *HEAD, "| a | 1 |", "| b | 3 |", "| c | 4 |", "", "End."]) + "\n"
    assert rows_of("no table") == []
    assert DOCS.name == "libraries.md"


def _supported_modules() -> list[str]:
    """The X-Ray SDK's list, read in another process: the tests of the runtime must not find the SDK imported."""
    code = "import json; from aws_xray_sdk.core.patcher import SUPPORTED_MODULES; print(json.dumps(SUPPORTED_MODULES))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stdout)
    return modules
