"""What a developer reads first when a test fails: which span, what to paste, and no frame of the kit."""

from pathlib import Path

import pytest

from tests.testing.project import run

HEAD = "from lambda_latency.testing import SERVER, at_most, span\n\n\ndef test_it(invoke, trace):\n"
HANDLER = """\
    def handler(event, context):
        from opentelemetry import trace as api
        for name in event:
            with api.get_tracer("shop").start_as_current_span(name, attributes={"currency": "EUR", "rows": [1]}):
                if name == "broken":
                    raise ValueError("no")
"""


def failed(folder: Path, code: str) -> list[str]:
    """What pytest prints of a test that has this end."""
    (folder / "test_it.py").write_text(HEAD + HANDLER + code)
    outcome = run(folder, "test_it.py")
    assert outcome.status == 1
    return outcome.text.splitlines()


@pytest.mark.parametrize(
    ("recorded", "children", "summary"),
    [
        (["price", "store"], 'span("store")', "span price is unexpected"),
        (["store"], 'span("price"), span("store")', "span price is missing"),
        (
            ["store"],
            'span("store", attributes={"currency": "USD"})',
            "span store differs: currency: 'EUR', expected 'USD'",
        ),
        (["a", "b", "c"], 'span("d")', "span a is unexpected, and 3 more"),
    ],
)
def test_the_first_line_names_the_span(tmp_path: Path, recorded: list[str], children: str, summary: str) -> None:
    """The first that differs, and how many more do; pytest's summary begins with it."""
    lines = failed(
        tmp_path, f'    invoke(handler, {recorded})\n    assert trace() == span("handler", SERVER)[{children}]\n'
    )
    assert next(line for line in lines if line.startswith("E ")).split("assert ", 1)[1] == summary
    (name, _, _) = summary[5:].partition(" ")
    assert f"assert span {name}" in next(line for line in lines if line.startswith("FAILED "))


def test_what_is_pasted_has_the_attributes_that_were_asked_for(tmp_path: Path) -> None:
    """With the recorded values; a duration that holds stays, too."""
    lines = failed(
        tmp_path,
        '    invoke(handler, ["price"])\n'
        "    assert trace() == span('handler', SERVER)[\n"
        "        span('price', attributes={'currency': 'USD', 'rows': [1], 'gone': 1}, took=at_most(ms=60_000))\n"
        "    ]\n",
    )
    begin = lines.index("the trace as an expectation, to paste:")
    assert "".join(line.strip() for line in lines[begin + 1 : lines.index("]", begin) + 1]) == (
        "span('handler', SERVER)[span('price', attributes={'currency': 'EUR', 'rows': (1,)}, took=at_most(ms=60000)),]"
    )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ('    invoke(handler, ["broken"])\n', "ValueError: no"),
        ('    invoke("nowhere.handler", {})\n', "ModuleNotFoundError: No module named 'nowhere'"),
        (
            '    invoke(handler, [])\n    trace().one("handlr")\n',
            "no span has the name 'handlr'; did you mean 'handler'?",
        ),
    ],
)
def test_no_frame_of_the_kit_is_shown(tmp_path: Path, code: str, error: str) -> None:
    """The test's line and the handler's."""
    lines = failed(tmp_path, code)
    assert any(line.startswith("E ") and error in line for line in lines)
    assert [line for line in lines if "lambda_latency/" in line and not line.startswith("rootdir")] == []
