"""A few uses of the X-Ray SDK under the kit's layer: `python -m lab bridge` compares all of them with the SDK."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lab.bridge.comparison import tree
from lab.bridge.sides import Seen, make_layer, observe

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
