"""The command line as values: its commands with their options, and the mistakes of texts that name them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from lambda_latency.cli.entry import COMMANDS, REMOVED_COMMANDS, parser
from lambda_latency.cli.parser import REMOVED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_latency.cli.parser import Parser
    from tests.docs.pages import Page

NAMES = "|".join([*COMMANDS, *REMOVED_COMMANDS])
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# A command with its arguments: to the end of the line, of the code marks, or of this part of a shell's pipeline.
CALL = re.compile(r"\blambda-latency (?:-v )?(?P<name>[a-z]+)(?P<rest>(?:(?!lambda-latency |&&)[^\n`|;])*)")
# A command without the program's name, and the options after it.
SHORT = re.compile(rf"(?<![\w/-])(?P<name>{NAMES})(?P<rest>(?: [a-z]+)?(?: [A-Z.]+)?(?: --[a-z-]+(?: [A-Z]+)?)+)")


def _parsers(whole: Parser, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Parser]]:
    for name, child in whole.commands().items():
        yield (*path, name), child
        yield from _parsers(child, (*path, name))


PARSERS = dict(_parsers(parser()))
OPTIONS = {
    path: {name for name in child._option_string_actions if name.startswith("--")} - {"--help"}
    for path, child in PARSERS.items()
}
# The options that no command has any more.
GONE = {name for child in PARSERS.values() for name in child.removed if name.startswith("--")} | REMOVED.keys()
GONE -= {"-v", "-q", "--verbose"}.union(*OPTIONS.values())


def options_of(name: str, arguments: str = "") -> set[str]:
    """The options of a command; of its sub-command if the arguments name one, otherwise of all its sub-commands."""
    word = next(iter(arguments.split()), "")
    if (name, word) in OPTIONS:
        return OPTIONS[name, word] | {"--help"}
    return {"--help"}.union(*(options for path, options in OPTIONS.items() if path[0] == name))


def wrong_calls(text: str) -> list[str]:
    """The calls `lambda-latency COMMAND --option` whose command, sub-command or option does not exist."""
    return [call[0].strip() for call in CALL.finditer(text) if not _is_right(call["name"], call["rest"])]


def wrong_short_calls(text: str) -> list[str]:
    """The calls `COMMAND --option`, without the program's name, whose option does not exist."""
    return [call[0] for call in SHORT.finditer(text) if not _is_right(call["name"], call["rest"])]


def _is_right(name: str, arguments: str) -> bool:
    if name not in COMMANDS:  # the word after the program's name may be one of a sentence
        return name not in REMOVED_COMMANDS and not OPTION.search(arguments)
    return set(OPTION.findall(arguments)) <= options_of(name, arguments)


def mistakes_of_page(page: Page) -> list[str]:
    """The wrong calls in a page's code, and the options without a command that no command has any more."""
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", page.prose)]
    lines = [line for block in page.blocks("sh") for line in block.splitlines()]
    code = [*spans, *lines]
    names = re.findall(r"^lambda-latency ([a-z]+)", "\n".join(code), re.MULTILINE)
    wrong = [name for name in names if name not in COMMANDS]
    wrong += [call for text in code for call in wrong_calls(text)]
    wrong += [call for text in code if re.match(NAMES, text) for call in wrong_short_calls(text)]
    return wrong + [text for text in code if text.startswith("--") and GONE & set(OPTION.findall(text))]


def mistakes_of_source(source: str) -> list[str]:
    """The wrong calls in the strings of a Python module, and in its lists of arguments, with their lines."""
    wrong = []
    for node in ast.walk(ast.parse(source)):
        text = _text(node)
        if " " not in text:  # a single word is a definition of an option, a key or an argument
            continue
        calls = [*wrong_calls(text), *wrong_short_calls(text)]
        if "aws --" not in text:  # the AWS CLI has an --endpoint-url of its own
            calls += sorted(GONE & set(OPTION.findall(text)))
        wrong += [f"{node.lineno}: {call}" for call in calls]  # type: ignore[attr-defined]
    return list(dict.fromkeys(wrong))


def _text(node: ast.AST) -> str:
    """A string, or a list whose second word is a command as the line that a shell would take; empty for others."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    if isinstance(node, (ast.List, ast.Tuple)):
        words = [word.value if isinstance(word, ast.Constant) else "X" for word in node.elts]
        if len(words) > 1 and words[1] in COMMANDS:
            return " ".join(["lambda-latency", *map(str, words[1:])])
    return ""
