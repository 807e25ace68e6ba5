"""Code of which some is rewritten for OpenTelemetry's API: the bridge goes by the span that is current."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.bridge.comparison import tree
from lab.bridge.sides import make_layer, observe
from tests.bridge.test_uses import child


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
