"""The programs that measure and try the kit: `python -m lab` lists them, `python -m lab NAME [options]` runs one."""

import ast
import difflib
import os
import re
import shutil
import sys
import textwrap
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
USAGE = """usage: python -m lab NAME [options]
       make lab NAME=name ARGS='options'

Each program says its options with --help. The programs, and the time that they usually take:
"""


@dataclass(frozen=True, slots=True)
class Program:
    """A module with `main(parser)`; `about` is the first line of its docstring, `time` what it usually takes."""

    name: str
    file: Path
    about: str
    time: str


def main(arguments: Sequence[str]) -> int:
    """List the programs, or run one under the name of `__main__`: its exit status is the command's."""
    if not arguments or arguments[0] in ("-h", "--help"):
        try:
            print(listed(programs()), flush=True)
        except BrokenPipeError:  # `python -m lab | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
        return 0
    name, *options = arguments
    names = {program.name for program in programs()}
    program_name = name.replace("_", "-")
    if program_name not in names:
        meant = difflib.get_close_matches(program_name, names, 1)
        hint = f"did you mean {meant[0]}? " if meant else ""
        print(f"no program is called {name}: {hint}`python -m lab` lists them", file=sys.stderr)
        return 2
    try:
        return run(program_name, options)
    except KeyboardInterrupt:
        return 130


def run(name: str, options: Sequence[str]) -> int:
    """Call a program's `main` with its parser, which reads these options. Returns the exit status."""
    module_name = f"lab.{name.replace('-', '_')}"
    module = import_module(module_name)
    if hasattr(module, "__path__"):
        module = import_module(f"{module_name}.__main__")
    sys.argv[1:] = options
    return module.main(ArgumentParser(f"python -m lab {name}", description=module.__doc__)) or 0


def programs() -> list[Program]:
    """Those of this folder by name. Their sources are read, and nothing of them is imported."""
    modules = {file.stem: file for file in HERE.glob("*.py") if not file.stem.startswith("__")}
    modules |= {file.parent.name: file for file in HERE.glob("*/__main__.py")}
    trees = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in sorted(modules.items())}
    return [
        Program(name.replace("_", "-"), modules[name], *_about_and_time(ast.get_docstring(tree) or ""))
        for name, tree in trees.items()
        if any(isinstance(node, ast.FunctionDef) and _is_program(node) for node in tree.body)
    ]


def _is_program(function: ast.FunctionDef) -> bool:
    return function.name == "main" and [argument.arg for argument in function.args.args] == ["parser"]


def _about_and_time(docstring: str) -> tuple[str, str]:
    """Its first line, and the usual time."""
    time = re.search(r"^Usual time: (.+)\.$", docstring, re.MULTILINE)
    return docstring.partition("\n")[0], time[1] if time else ""


def listed(shown: Sequence[Program]) -> str:
    """A paragraph for each, as wide as the terminal."""
    width = min(shutil.get_terminal_size().columns, 120)
    indent = max(len(program.name) for program in shown) + 4
    lines = [
        textwrap.fill(
            f"{program.about} ({program.time})",
            width,
            initial_indent=f"  {program.name}".ljust(indent),
            subsequent_indent=" " * indent,
        )
        for program in shown
    ]
    return "\n".join([USAGE, *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
