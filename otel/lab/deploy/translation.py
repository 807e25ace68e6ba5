"""The built template made fit for the emulator. What that cannot do is left out or done in another way:

- The transformation of a stack within the stack, which it leaves out: SAM's translator has done it before.
- Types of X-Ray, which it refuses.
- Alarms on several metrics, which it refuses: they watch the first of them, with the same name and actions.
- Layers that only AWS has. Their packages are those of this environment. The kit's layer is deployed and named by each
  function, but the emulator unpacks no layer for a custom runtime: the built one stands for /opt, or a folder with the
  content of the version that the functions name.
- The managed runtime. The emulator runs Python in a worker of its own that knows no exec wrapper; a custom runtime gets
  a true Runtime API, and there the runtime client is started under the wrapper, as the managed runtime starts it.
- msgspec in the function that explains alarms, built for Lambda's processors: that of this environment is used.
- The addresses of the collector and of X-Ray's OTLP endpoint, where a receiver of ours listens, and that of the daemon.
"""

import json
import logging
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from samcli.yamlhelper import yaml_dump, yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from lambda_latency.local.app.serve.system import LAYER
from lambda_latency.local.sandbox import bootstrap

logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it says at the end that it sent nothing

RUNTIME = "provided.al2023"
KIT = "Kit"
NATIVE = "msgspec"
# SAM's types with a file or a folder: the property, that of the translated type, and what the translator takes for it.
SAM = {
    "AWS::Serverless::Function": ("CodeUri", "Code", "s3://bucket/artifact.zip"),
    "AWS::Serverless::Application": ("Location", "TemplateURL", "https://s3.us-east-1.amazonaws.com/bucket/inner"),
}
# What the emulator starts for a function: the runtime client, under the kit's wrapper where there is a kit.
PLAIN = f"""#!/bin/sh
export PATH="{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
exec "{sys.executable}" "{bootstrap.__file__}"
"""
START = f"""#!/bin/sh
export PATH="{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin" PYTHONPATH="{{path}}"
wrapper="${{{{AWS_LAMBDA_EXEC_WRAPPER#/opt}}}}"
for layer in {{layers}}; do
    [ -z "$wrapper" ] || [ ! -x "$layer$wrapper" ] || exec "$layer$wrapper" "{sys.executable}" "{bootstrap.__file__}"
done
exec "{sys.executable}" "{bootstrap.__file__}"
"""
NOTHING = {"Ref": "AWS::NoValue"}
ENDPOINT, DAEMON = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "AWS_XRAY_DAEMON_ADDRESS"
EXPORT, WRAPPER = "LAMBDA_LATENCY_EXPORT", "AWS_LAMBDA_EXEC_WRAPPER"


def translate(built: Path, spans_url: str, kit: str = KIT, *, daemon: str = "", content: Path | None = None) -> Path:
    """Write local.yaml beside the built template, and a `bootstrap` into each artifact; returns the file.

    `kit` is the logical id of the kit's layer, or the ARN of a deployed one with its own packages, whose `content` is
    then in a folder. `daemon` is the address of the X-Ray daemon. Templates of stacks within the stack are translated,
    too.
    """
    template = yaml_parse(built.read_text(encoding="utf-8"))
    resources: dict[str, Any] = template["Resources"]
    for name, resource in list(resources.items()):
        if resource["Type"].startswith("AWS::XRay::"):
            del resources[name]
        elif resource["Type"] == "AWS::CloudWatch::Alarm":
            resource["Properties"] = with_one_metric(resource["Properties"])
        elif resource["Type"] == "AWS::Serverless::Application":
            inner = translate(built.parent / resource["Properties"]["Location"], spans_url, kit, daemon=daemon)
            inner.write_text(yaml_dump(expanded(yaml_parse(inner.read_text(encoding="utf-8")))), encoding="utf-8")
            resource["Properties"]["Location"] = str(inner.relative_to(built.parent))
    functions = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Serverless::Function"]
    for place in (template.get("Globals", {}).get("Function", {}), *functions):
        point_here(place, kit, spans_url, daemon)
    layers = [content] if content else []
    if kit in resources:
        layers = [built.parent / resources[kit]["Properties"]["ContentUri"], LAYER]
    for function in functions:
        write_start(built.parent / function["CodeUri"], start_of(layers))
    local = built.with_name("local.yaml")
    local.write_text(yaml_dump(template), encoding="utf-8")
    return local


def point_here(place: dict[str, Any], kit: str, spans_url: str, daemon: str) -> None:
    """Change the properties of functions: the runtime, the layers, and the addresses to which spans are sent."""
    if "Runtime" in place:
        place["Runtime"] = RUNTIME
    if "Layers" in place:
        named = (json.dumps({"Ref": kit}), json.dumps(kit))
        place["Layers"] = [layer for layer in place["Layers"] if any(name in json.dumps(layer) for name in named)]
    variables = place.get("Environment", {}).get("Variables", {})
    # The kit sends to X-Ray's OTLP endpoint without an address of its own.
    export = variables.get(EXPORT)
    addressed = variables.get(ENDPOINT) or (export if "otlp" in json.dumps(export) else None)
    if addressed is not None:
        variables[ENDPOINT] = with_receiver(addressed, spans_url)
    if daemon and WRAPPER in variables:
        variables[DAEMON] = daemon


def with_receiver(value: Any, spans_url: str) -> Any:
    """A variable's value with `spans_url` in each case in which the variable is set."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, *cases = value["Fn::If"]
        return {"Fn::If": [condition, *(with_receiver(case, spans_url) for case in cases)]}
    return NOTHING if value == NOTHING else spans_url


def expanded(template: dict[str, Any]) -> dict[str, Any]:
    """A template without SAM's own types, by SAM's own translator. Folders and files are named as before."""
    named: dict[str, tuple[str, str]] = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] in SAM:
            key, translated, uploaded = SAM[resource["Type"]]
            named[name] = translated, resource["Properties"][key]
            resource["Properties"][key] = uploaded
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    made: dict[str, Any] = translator.translate(template, {})
    for name, (key, place) in named.items():
        made["Resources"][name]["Properties"][key] = place
    return {key: value for key, value in made.items() if key != "Transform"}


def start_of(layers: Sequence[Path]) -> str:
    """What the emulator starts for a function with these layers, the first of which is searched first."""
    path = ":".join(f"{layer}/python" for layer in layers)
    return START.format(path=path, layers=" ".join(f'"{layer}"' for layer in layers)) if layers else PLAIN


def write_start(artifact: Path, text: str) -> None:
    """Write the file that the emulator starts, and leave out the library that was built for Lambda's Python."""
    shutil.rmtree(artifact / NATIVE, ignore_errors=True)
    file = artifact / "bootstrap"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def with_one_metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The alarm, on the first of its metrics instead of an expression of several."""
    plain = {name: value for name, value in alarm.items() if name != "Metrics"}
    for metric in alarm.get("Metrics", ()):
        if "MetricStat" in metric:
            stat = metric["MetricStat"]
            key = "ExtendedStatistic" if stat["Stat"].startswith("p") else "Statistic"
            return {**plain, **stat["Metric"], "Period": stat["Period"], key: stat["Stat"]}
    return plain
