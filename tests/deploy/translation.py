"""The built template made fit for the emulator. What that cannot do is left out or done in another way:

- Types of X-Ray, which it refuses.
- Alarms on several metrics, which it refuses: they watch the first of them, with the same name and actions.
- Layers that only AWS has. Their packages are those of this environment. The kit's layer is deployed and named by each
  function, but the emulator unpacks no layer for a custom runtime: the built one stands for /opt.
- The managed runtime. The emulator runs Python in a worker of its own that knows no exec wrapper; a custom runtime gets
  a true Runtime API, and there the runtime client is started under the wrapper, as the managed runtime starts it.
- The collector's address, where a receiver of ours listens.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
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

    `kit` is the logical id of the kit's layer. Templates of stacks within the stack are translated, too.
    """
    template = yaml_parse(built.read_text(encoding="utf-8"))
    resources: dict[str, Any] = template["Resources"]
    for name, resource in list(resources.items()):
        if resource["Type"].startswith("AWS::XRay::"):
            del resources[name]
        elif resource["Type"] == "AWS::CloudWatch::Alarm":
            resource["Properties"] = with_one_metric(resource["Properties"])
        elif resource["Type"] == "AWS::Serverless::Application":
            inner = translate(built.parent / resource["Properties"]["Location"], spans_url, kit)
            resource["Properties"]["Location"] = str(inner.relative_to(built.parent))
    functions = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Serverless::Function"]
    for place in (template.get("Globals", {}).get("Function", {}), *functions):
        if "Runtime" in place:
            place["Runtime"] = RUNTIME
        if "Layers" in place:
            place["Layers"] = [{"Ref": kit}]
        variables = place.get("Environment", {}).get("Variables", {})
        if "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in variables:
            variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = spans_url
    if functions:
        start = START.format(kit=built.parent / resources[kit]["Properties"]["ContentUri"])
        write_starts([built.parent / function["CodeUri"] for function in functions], start)
    local = built.with_name("local.yaml")
    local.write_text(yaml_dump(template), encoding="utf-8")
    return local


def write_starts(artifacts: Iterable[Path], text: str) -> None:
    """Write the file that the emulator starts into each artifact."""
    for folder in artifacts:
        file = folder / "bootstrap"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)


def with_one_metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The alarm, on the first of its metrics instead of an expression of several."""
    left = {name: value for name, value in alarm.items() if name != "Metrics"}
    for one in alarm.get("Metrics", ()):
        if "MetricStat" in one:
            stat = one["MetricStat"]
            key = "ExtendedStatistic" if stat["Stat"].startswith("p") else "Statistic"
            return {**left, **stat["Metric"], "Period": stat["Period"], key: stat["Stat"]}
    return left
