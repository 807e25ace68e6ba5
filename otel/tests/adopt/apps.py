"""Apps in folders of their own, and the command as a person types it."""

import contextlib
import io
from pathlib import Path

from lambda_latency.cli import main

HANDLER = "def handler(event, context):\n    return 1\n"
HEAD = "Transform: AWS::Serverless-2016-10-31\n"
FUNCTION = """\
  {name}:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: src/
"""
TEMPLATE = f"{HEAD}Resources:\n{FUNCTION.format(name='One')}"


def make_app(folder: Path, template: str | bytes = TEMPLATE, **sources: str) -> Path:
    """An app; `sources` are files of its code by name, `_` for the dot. Returns its template."""
    (folder / "src").mkdir(parents=True)
    path = folder / "template.yaml"
    path.write_bytes(template if isinstance(template, bytes) else template.encode())
    for name, text in {"app_py": HANDLER, **sources}.items():
        stem, _, suffix = name.rpartition("_")
        (folder / "src" / f"{stem}.{suffix}").write_text(text)
    return path


def adopt(*arguments: object) -> tuple[int, str, str]:
    """The status of the command, what it prints, and what it says on stderr; a template comes before its options.

    An app gets a copy of the kit unless `--layer` names one.
    """
    words = [*map(str, arguments)]
    if not {"--layer", "--undo", "--help"} & {*words}:
        words.append("--vendor")
    template = ["--template"] if words and not words[0].startswith("-") else []
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(["adopt", *template, *words])
        except SystemExit as exit_of_main:
            status = int(str(exit_of_main.code))
    return status, out.getvalue(), err.getvalue()


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The bytes and the mode of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(folder: Path, *arguments: object, is_shown: bool = False) -> list[str]:
    """What the command says when it refuses: status 1, not a byte changed; the changes may have been shown before."""
    before = files(folder)
    status, out, err = adopt(folder, *arguments)
    assert (status, out != "", files(folder)) == (1, is_shown, before), err
    return err.splitlines()
