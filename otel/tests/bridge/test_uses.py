"""A few uses of the X-Ray SDK under the kit's layer: `python -m lab bridge` compares all of them with the SDK."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.bridge.comparison import tree
from lab.bridge.sides import Seen, make_layer, observe
from lambda_latency.layer import bridged_modules

USES = (
    "annotations",
    "metadata",
    "exception_through_levels",
    "http_404",
    "sql",
    "annotation_on_lambdas_segment",
    "async_gather",
    "without_sampling",
    "left_open",
    "block",
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """All of them, each run once. The X-Ray SDK is installed here, and would be found first."""
    layer, chosen = make_layer(tmp_path_factory.mktemp("layer")), {"LAMBDA_LATENCY_XRAY_SDK": "bridge"}
    return observe(Path(sys.executable), "uses", USES, layer=layer, variables=chosen)


def child(name: str, **parts: Any) -> dict[str, Any]:
    """A subsegment without children."""
    return {"name": name, "children": [], **parts}


FAILED: dict[str, Any] = {"fault": True, "exceptions": [("RuntimeError", "deep down")]}
TREES: dict[str, list[dict[str, Any]]] = {
    "annotations": [child("annotated", annotations={"text": "another value", "number": 42, "half": 0.5, "flag": True})],
    "metadata": [
        child(
            "described",
            metadata={
                "default": {"plain": "text", "nested": {"a": [1, 2.5, None, {"b": True}]}},
                "space": {"spaced": "value", "other": 1},
            },
        )
    ],
    "exception_through_levels": [{**child("outer", **FAILED), "children": [child("inner", **FAILED)]}],
    "http_404": [
        child(
            "api.example.com",
            namespace="remote",
            error=True,
            http={
                "request": {"url": "https://api.example.com/", "method": "POST", "user_agent": "mine/1.0"},
                "response": {"status": 404},
            },
        )
    ],
    "sql": [
        child(
            "orders@db.example.com",
            namespace="remote",
            sql={
                "url": "orders@db.example.com",
                "connection_string": "postgresql://db.example.com/",
                "database_type": "postgresql",
                "user": "ada",
                "sanitized_query": "select * from orders where id = ?",
            },
        )
    ],
    "annotation_on_lambdas_segment": [],
    "async_gather": [{**child("parent"), "children": [child("child"), child("child")]}],
    "without_sampling": [child("seen")],
    "left_open": [],
    "block": [child("block")],
}


@pytest.mark.parametrize("use", USES)
def test_a_use_makes_its_documents(seen: dict[str, Seen], use: str) -> None:
    """Names, namespaces, annotations, metadata, errors, and who is whose child."""
    assert tree(seen[use].documents) == TREES[use]


def test_an_annotation_without_a_subsegment_is_the_handlers(seen: dict[str, Seen]) -> None:
    """The X-Ray SDK raises there."""
    documents = seen["annotation_on_lambdas_segment"].documents
    (handlers,) = [one for one in documents if one.get("type") is None]
    assert handlers["annotations"]["key"] == "value"


def test_spans_and_subsegments_of_one_request(tmp_path: Path) -> None:
    """What is put on the current one goes to a span as to a subsegment, and adds to what is there."""
    layer, chosen = make_layer(tmp_path), {"LAMBDA_LATENCY_XRAY_SDK": "bridge"}
    seen = observe(Path(sys.executable), "mixed", ("inner span", "outer span"), layer=layer, variables=chosen)
    assert [one.answer for one in seen.values()] == ["span", "span"]
    assert [tree(one.documents) for one in seen.values()] == [
        [{**child("subsegment"), "children": [child("span", annotations={"on": "span"})]}],
        [
            {
                **child("span", annotations={"declared": 1, "added": 2}, metadata={"default": {"a": 1, "b": 2}}),
                "children": [child("subsegment", annotations={"on": "subsegment"})],
            }
        ],
    ]


CODE = """\
import asyncio, json, sys
from aws_xray_sdk.core import patch, patch_all, xray_recorder
patch_all()
patch(["json"])

@xray_recorder.capture("function")
def function(one):
    return one + 1

@xray_recorder.capture_async()
async def coroutine():
    async with xray_recorder.in_subsegment_async("block"):
        return "coroutine"

with xray_recorder.in_subsegment("block") as subsegment:
    subsegment.put_annotation("key", "value")
    xray_recorder.put_metadata("key", {"a": 1})
    xray_recorder.begin_subsegment("inner").add_exception(ValueError(), None)
    xray_recorder.end_subsegment()
xray_recorder.current_segment().put_annotation("key", "value")
import aws_xray_sdk.core
assert aws_xray_sdk.core.models.subsegment.Subsegment.type == "subsegment"
assert not hasattr(aws_xray_sdk.core, "nothing")
third_party = sorted({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"})
print(json.dumps([function(1), asyncio.run(coroutine()), xray_recorder.is_sampled(),
                  [name for name in third_party if not name.startswith("_")]]))
"""


def test_nothing_happens_and_nothing_is_imported(tmp_path: Path) -> None:
    """Neither OpenTelemetry nor anything else: Lambda's Python alone is there."""
    layer = make_layer(tmp_path)
    command = [sys.executable, "-S", "-c", CODE]
    ran = subprocess.run(command, env={"PYTHONPATH": str(layer / "python")}, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [2, "coroutine", False, ["aws_xray_sdk", "lambda_latency"]]
    assert ran.stderr == ""


def test_every_name_of_the_layer_can_be_imported(tmp_path: Path) -> None:
    """And is what its `__all__` says."""
    layer = make_layer(tmp_path) / "python"
    names = sorted(name for name in bridged_modules() if not name.endswith("sqlalchemy.query"))  # which import it
    code = "import sys\nfor name in sys.argv[1:]: exec(f'from {name} import *')"
    command = [sys.executable, "-S", "-c", code, *names]
    ran = subprocess.run(command, env={"PYTHONPATH": str(layer)}, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr, len(names) > 30) == (0, "", True)
