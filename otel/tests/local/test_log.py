"""The log: whole lines with the name of who printed them."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from lambda_latency.local.errors import LocalError
from lambda_latency.local.log import LogFile, open_for_writing, readable


def test_a_line_has_the_name_of_who_printed_it(tmp_path: Path) -> None:
    """Each line is in the file when `write` returns, in the order of the calls."""
    with closing(LogFile(tmp_path / "out" / "system.log")) as log:
        log.write("CreateOrder", "START RequestId: 1")
        log.write("payments", "grün")
        assert log.path.read_text(encoding="utf-8") == "CreateOrder: START RequestId: 1\npayments: grün\n"


def test_lines_of_threads_do_not_mix(tmp_path: Path) -> None:
    """From eight threads, each line comes out whole and none is lost."""
    with closing(LogFile(tmp_path / "system.log")) as log, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: log.write(f"f{n % 8}", str(n % 8) * 3000), range(400)))
    lines = Counter(log.path.read_text().splitlines())
    assert lines == {f"f{n}: {str(n) * 3000}": 50 for n in range(8)}


def test_a_closed_log_takes_nothing_more(tmp_path: Path) -> None:
    """A child that still prints while the system goes down breaks nothing."""
    log = LogFile(tmp_path / "system.log")
    log.write("a", "first")
    log.close()
    log.write("a", "too late")
    assert log.path.read_text() == "a: first\n"


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The message names the file, the reason and the option that chooses another folder."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "below" / "system.log"
    with pytest.raises(LocalError) as raised:
        open_for_writing(path)
    assert str(raised.value) == f"{path} cannot be written: Not a directory; choose another folder with --out"


ERROR = {
    "timestamp": "2026-11-26T04:35:04Z",
    "level": "ERROR",
    "errorMessage": "Syntax error in module 'functions.orders': invalid syntax (orders.py, line 1)",
    "errorType": "Runtime.UserCodeSyntaxError",
    "requestId": "",
    "stackTrace": ['  File "/var/task/functions/orders.py" Line 1\n    this is no Python'],
}


def test_an_error_is_its_type_its_message_and_its_stack() -> None:
    assert readable(json.dumps(ERROR)) == (
        f"ERROR Runtime.UserCodeSyntaxError: {ERROR['errorMessage']}\n"
        '  File "/var/task/functions/orders.py" Line 1\n'
        "    this is no Python"
    )


def test_a_logged_line_is_its_level_and_message() -> None:
    record = {"timestamp": "2026-11-26T04:35:04Z", "level": "WARNING", "message": "no stock\r", "logger": "root"}
    assert readable(json.dumps(record)) == "WARNING no stock"


@pytest.mark.parametrize(
    "line", ["plain", "", "{broken", "[1]", '{"level": "INFO"}', '{"message": "of somebody else"}']
)
def test_what_is_no_record_stays_as_it_is(line: str) -> None:
    assert readable(line) == line
