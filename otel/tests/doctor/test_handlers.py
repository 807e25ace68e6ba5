"""Handlers that are not in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_latency.doctor.app import App, Where, read_app
from lambda_latency.doctor.rules.handlers import missing

TEMPLATE = """\
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: HANDLER, CodeUri: src LAYERS }
"""


def found(
    folder: Path, handler: str, code: str = "def handler(e, c): ...\n", layers: str = ""
) -> list[tuple[str, str]]:
    (folder / "src" / "pkg").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "app.py").write_text(code)
    (folder / "src" / "pkg" / "__init__.py").write_text("from app import *\n")
    path = folder / "template.yaml"
    path.write_text(TEMPLATE.replace("HANDLER", handler).replace(" LAYERS", layers))
    app = read_app(path, Where())
    assert isinstance(app, App)
    return [(one.what.replace(f"{folder}/", ""), one.todo) for one in missing.check(app)]


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        ("app.handler", "def handler(e, c): ...\n"),
        ("app.handler", "from pkg import handle as handler\n"),
        ("app.handler", "if True:\n    handler = lambda e, c: 1\n"),
        ("app.handler", "from pkg import *\n"),
        ("app.handler", "globals()['handler'] = print\n"),
        ("app.handler", "not python("),
        ("pkg.anything", ""),
        ("handler", ""),
    ],
)
def test_a_handler_that_may_be_there_is_not_found(handler: str, code: str, tmp_path: Path) -> None:
    """Defined, imported, assigned, or made in a way that no reading shows."""
    assert found(tmp_path, handler, code) == []


def test_a_handler_that_is_not_there_is_found(tmp_path: Path) -> None:
    """With what is meant; a module may be in a layer, a name in a file may not."""
    assert found(tmp_path, "app.handle") == [("Work: src/app.py has no 'handle'", "did you mean handler?")]
    assert found(tmp_path, "apps.handler") == [("Work: src/apps.py is not there", "did you mean app?")]
    assert found(tmp_path, "apps.handler", layers=", Layers: [arn]") == []
    assert found(tmp_path, "apps.handler", layers=", InlineCode: 'def handler(e, c): ...'") == []
