"""Nothing of the corpus of `lab same` is left out: what is not in a table would never run."""

import ast
from collections.abc import Iterator

from lab.rie.scenarios import SHARED
from lab.same.corpus import CORPUS
from lab.same.run import HANDLERS
from lab.versions import SUBSET

TABLES = ("VALUES", "RAISED", "ENDS", "DEATHS", "SERVICES", "GETS", "WORK", "USES", "OPERATIONS")
STARTED = ("starts/at_import", "own/set_up", "vendors/tracers")


def written() -> Iterator[str]:
    """Each handler, and each key of a table of one; where START chooses, each function that takes nothing."""
    for file in HANDLERS.rglob("*.py"):
        module = str(file.relative_to(HANDLERS).with_suffix(""))
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    arguments = [argument.arg for argument in node.args.args]
                    if arguments == ["event", "context"] and module not in STARTED:
                        yield f"{module}.{node.name}"
                    elif not arguments and module in STARTED and node.name != "with_provider":
                        yield f"{module} {node.name}"
                case ast.Assign(targets=[ast.Name(id=name)]) if name in TABLES:
                    keys: dict[str, object] = dict.fromkeys(ast.unparse(key) for key in getattr(node.value, "keys", ()))
                    yield from (f"{module} {ast.literal_eval(key)}" for key in keys)


def test_every_handler_and_every_entry_of_a_table_is_in_the_corpus() -> None:
    """By its name, by the value of an event, or by START."""
    named = {case.handler for case in CORPUS}
    for case in CORPUS:
        module = case.handler.rpartition(".")[0]
        named |= {f"{module} {value}" for event in case.events if isinstance(event, dict) for value in event.values()}
        named |= {f"{module} {case.variables.get('START')}"}
    assert set(written()) - named == set()


def test_rows_have_names_of_their_own_and_the_subsets_name_rows() -> None:
    """Two rows with one handler are told apart by their labels."""
    names = [case.name for case in CORPUS]
    assert len(names) == len(set(names))
    assert {*SUBSET, *SHARED} <= set(names)
