"""Without the kit's wrapper (`Tracing=Off`) the layer's `aws_xray_sdk` does nothing, and needs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from lab.bridge.sides import make_layer

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
    names = [
        ".".join(file.relative_to(layer).with_suffix("").parts).removesuffix(".__init__")
        for file in (layer / "aws_xray_sdk").rglob("*.py")
        if "sqlalchemy" not in file.parts[-2]  # which import it
    ]
    code = "import sys\nfor name in sys.argv[1:]: exec(f'from {name} import *')"
    command = [sys.executable, "-S", "-c", code, *names]
    ran = subprocess.run(command, env={"PYTHONPATH": str(layer)}, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr, len(names) > 30) == (0, "", True)
