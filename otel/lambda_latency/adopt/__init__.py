"""Adopts an app: edits its template, requirements and code so that it is traced; the edits can be undone."""

from lambda_latency.adopt.bundle import add_packages
from lambda_latency.adopt.bytecode import compile_layer
from lambda_latency.adopt.changes import Plan
from lambda_latency.adopt.deployed import LAYER_TEMPLATE, write_layer, write_layer_stack
from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.frameworks import framework_lines
from lambda_latency.adopt.plan import edited_template, find_template, make_plan, regions_of
from lambda_latency.adopt.wording import AdoptOptions
from lambda_latency.adopt.writing import check_clean, read_record, undo, write

__all__ = [
    "LAYER_TEMPLATE",
    "AdoptError",
    "AdoptOptions",
    "Plan",
    "add_packages",
    "check_clean",
    "compile_layer",
    "edited_template",
    "find_template",
    "framework_lines",
    "make_plan",
    "read_record",
    "regions_of",
    "undo",
    "write",
    "write_layer",
    "write_layer_stack",
]
