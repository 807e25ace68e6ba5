"""The built template made fit for the emulator. What that cannot do is left out or done in another way:

- Types of X-Ray and alarms on several metrics, which it refuses.
- Layers that only AWS has. Their packages are those of this environment. The kit's layer is deployed and named by each
  function, but the emulator unpacks no layer for a custom runtime: the built one stands for /opt.
- The managed runtime. The emulator runs Python in a worker of its own that knows no exec wrapper; a custom runtime gets
  a true Runtime API, and there the runtime client is started under the wrapper, as the managed runtime starts it.
- The collector's address, where a receiver of ours listens.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_dump, yaml_parse

from lambda_latency.local import bootstrap
from lambda_latency.local.system import LAYER

__all__ = ["translate"]

RUNTIME = "provided.al2023"
KIT = "Kit"
# What the emulator starts for a function.
START = f"""#!/bin/sh
export PATH="{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin" PYTHONPATH="{{kit}}/python:{LAYER}/python"
exec "{{kit}}${{{{AWS_LAMBDA_EXEC_WRAPPER#/opt}}}}" "{sys.executable}" "{bootstrap.__file__}"
"""


def translate(built: Path, spans_url: str, kit: str = KIT) -> Path:
    """Write local.yaml beside the built template, and a `bootstrap` into each artifact; returns the file.

    `kit` is the logical id of the kit's layer.
    """
    template = yaml_parse(built.read_text(encoding="utf-8"))
    resources: dict[str, Any] = template["Resources"]
    gone = [name for name, resource in resources.items() if is_refused(resource)]
    for name in gone:
        del resources[name]
    functions = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Serverless::Function"]
    for place in (template.get("Globals", {}).get("Function", {}), *functions):
        if "Runtime" in place:
            place["Runtime"] = RUNTIME
        if "Layers" in place:
            place["Layers"] = [{"Ref": kit}]
        variables = place.get("Environment", {}).get("Variables", {})
        if "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in variables:
            variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = spans_url
    start_text = START.format(kit=built.parent / resources[kit]["Properties"]["ContentUri"])
    for function in functions:
        start = built.parent / function["CodeUri"] / "bootstrap"
        start.write_text(start_text, encoding="utf-8")
        start.chmod(0o755)
    local = built.with_name("local.yaml")
    local.write_text(yaml_dump(template), encoding="utf-8")
    return local


def is_refused(resource: Mapping[str, Any]) -> bool:
    """Whether the emulator would refuse it."""
    kind: str = resource["Type"]
    return kind.startswith("AWS::XRay::") or (kind == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"])
