"""Adopts an app: edits its template, requirements and code so that it is traced; the edits can be undone."""

from lambda_latency.adopt.bundle import add_packages
from lambda_latency.adopt.bytecode import compile_layer
from lambda_latency.adopt.changes import Change, Plan, Row
from lambda_latency.adopt.errors import AdoptError
from lambda_latency.adopt.plan import edited_template, find_template, make_plan
from lambda_latency.adopt.regions import regions_of
from lambda_latency.adopt.wording import Wanted
from lambda_latency.adopt.writing import STATE, Record, check_clean, read_record, undo, write

__all__ = [
    "STATE",
    "AdoptError",
    "Change",
    "Plan",
    "Record",
    "Row",
    "Wanted",
    "add_packages",
    "check_clean",
    "compile_layer",
    "edited_template",
    "find_template",
    "make_plan",
    "read_record",
    "regions_of",
    "undo",
    "write",
]
