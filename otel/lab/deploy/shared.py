"""The kit's layer as a stack of its own, used by two adopted apps, then deployed again and upgraded in both.

Layer and apps are deployed by the commands that people type. A function runs with what the emulator has for the version
that it names, so a span tells which version that was: the wrapper of the second sets an attribute of the resource.
"""

import io
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.deploy.adopted import CALLS, copy_app
from lab.deploy.bed import Bed, expect, step
from lab.deploy.cloud import Cloud
from lab.deploy.translation import translate
from lambda_latency.trace import read_traces

STACK = "shared-layer"
MARK = 'export OTEL_RESOURCE_ATTRIBUTES="layer=second"\n'


def deploy_and_upgrade(bed: Bed) -> None:
    """Deploy the layer and two apps that name it, then the next version for both; delete all."""
    cloud = bed.cloud
    apps = [copy_app(bed.folder / "shared", name) for name, *_ in CALLS]
    with step("stack layer --deploy"):
        printed = cloud.lambda_latency("stack", "layer", STACK, "--deploy")
        first = cloud.outputs(STACK)["LayerArn"]
        expect("last line", printed.splitlines()[-1].strip(), f"lambda-latency adopt --layer {first}")
    use_in_each(bed, apps, first, None)
    with step("the layer's second version"):
        folder = bed.folder / "second"
        cloud.lambda_latency("stack", "layer", STACK, "--out", str(folder))
        wrapper = folder / "layer" / "lambda-latency" / "wrapper"
        wrapper.write_text(wrapper.read_text().replace("exec ", f"{MARK}exec ", 1))
        cloud.deploy(STACK, folder / "template.yaml")
        second = cloud.outputs(STACK)["LayerArn"]
        expect("versions", [arn.rpartition(":")[2] for arn in (first, second)], ["1", "2"])
    earlier = [template.read_text() for template in apps]
    for template in apps:
        cloud.lambda_latency("adopt", "--template", str(template), "--layer", second, "--check", statuses=[3])
    use_in_each(bed, apps, second, "second")
    expect("upgraded templates", [template.read_text() for template in apps],
           [text.replace(first, second) for text in earlier])  # fmt: skip
    with step("delete"):
        for template in apps:
            cloud.delete(f"shared-{template.parent.name}")
        cloud.delete(STACK)
    expect("stacks that are left", [name for name in cloud.stacks() if name.startswith("shared-")], [])


def use_in_each(bed: Bed, apps: list[Path], arn: str, mark: str | None) -> None:
    """Adopt each app with a version of the layer, deploy it and call it; its spans have this version's mark."""
    content = bed.folder / f"version-{arn.rpartition(':')[2]}"
    unpack(bed.cloud, arn, content)
    for template, (name, _, method, path, body, status, spans_of) in zip(apps, CALLS, strict=True):
        stack, cloud = f"shared-{name}", bed.cloud
        with step(f"{name}: adopt, deploy, call"):
            cloud.lambda_latency("adopt", "--template", str(template), "--layer", arn, "--write", "--force")
            built = template.parent / "built"
            cloud.sam("build", "--template", str(template), "--build-dir", str(built))
            local = translate(built / "template.yaml", bed.spans, arn, daemon=bed.daemon, content=content)
            cloud.deploy(stack, local)
            expect("layers", {*layers_of(cloud, stack)}, {(arn,)})
            earlier = bed.trace_ids()
            answer = cloud.call(cloud.outputs(stack)["ApiUrl"], method, path, body)
            expect("status", answer[0], status, answer[1])
            expect("trace", bed.new_trace(earlier, spans_of), spans_of)
            (trace,) = (trace for trace in read_traces(bed.traces).traces if trace.trace_id not in earlier)
            expect("version", trace.local_roots[0].resource.get("layer"), mark)


def unpack(cloud: Cloud, arn: str, folder: Path) -> None:
    """Unpack a version of a layer into a new folder, as Lambda does into /opt."""
    location = cloud.client("lambda").get_layer_version_by_arn(Arn=arn)["Content"]["Location"]
    with urllib.request.urlopen(location, timeout=60) as response:
        archive = zipfile.ZipFile(io.BytesIO(response.read()))
    for member in archive.infolist():
        path = Path(archive.extract(member, folder))
        if path.is_file():
            path.chmod(member.external_attr >> 16 & 0o777)


def layers_of(cloud: Cloud, stack: str) -> Iterator[tuple[str, ...]]:
    """The layers of each function of a stack."""
    for _, kind, name in cloud.made(stack):
        if kind == "AWS::Lambda::Function":
            configuration: dict[str, Any] = cloud.client("lambda").get_function_configuration(FunctionName=name)
            yield tuple(layer["Arn"] for layer in configuration["Layers"])
