"""An import contract of our own: a package imports the standard library, itself, and only these others."""

from __future__ import annotations

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

__all__ = ["OnlyThesePackages"]


class OnlyThesePackages(Contract):
    """`package` may import the standard library and the packages in `allowed`; `but` lists `module -> imported`."""

    type_name = "only_these_packages"
    package = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())
    but = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002 - as import-linter calls it
        modules = [str(self.package), *graph.find_descendants(str(self.package))]
        fine = {*sys.stdlib_module_names, *self.allowed}  # type: ignore[misc] # a field is typed as its declaration
        wrong = [
            f"{module} imports {imported}"
            for module in modules
            for imported in graph.find_modules_directly_imported_by(module)
            if imported.split(".")[0] not in fine and f"{module} -> {imported}" not in self.but  # type: ignore[operator]
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": sorted(wrong)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["wrong"]:
            output.print_error(f"- {line}")
