"""`adopt --rewrite`: the X-Ray SDK's calls become OpenTelemetry's where both record the same."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.bridge.comparison import tree
from lab.bridge.sides import make_layer, observe
from lambda_latency.adopt.rewrite import rewrite
from lambda_latency.adopt.wording import Wanted, api_requirement
from tests.adopt.apps import adopt, files, make_app

SDK = "from aws_xray_sdk.core import xray_recorder\n"
API = api_requirement(Wanted())
TRACE = "from opentelemetry import trace\n\ntracer = trace.get_tracer(__name__)\n"
# Before, after, and what is said of the rest. `SDK` and `TRACE` are the imports before and after.
PAIRS: dict[str, tuple[str, str, list[str]]] = {
    "a block": (
        SDK + 'with xray_recorder.in_subsegment("block"):\n    pass\n',
        TRACE + 'with tracer.start_as_current_span("block"):\n    pass\n',
        [],
    ),
    "a block of another service": (
        SDK + 'with xray_recorder.in_subsegment(name=HOST, namespace="remote"):\n    pass\n',
        TRACE + "with tracer.start_as_current_span(HOST, kind=trace.SpanKind.CLIENT):\n    pass\n",
        [],
    ),
    "a name that X-Ray does not take": (
        SDK + 'with xray_recorder.in_subsegment("what? (it) is"):\n    pass\n',
        TRACE + 'with tracer.start_as_current_span("what it is"):\n    pass\n',
        [],
    ),
    "annotations of a block": (
        SDK + 'with xray_recorder.in_subsegment("a") as one:\n    one.put_annotation(key="k", value=1)\n'
        '    one.put_annotation("l", 2)\n',
        TRACE + 'with tracer.start_as_current_span("a", attributes={"aws.xray.annotations": ["k", "l"]}) as one:\n'
        '    one.set_attribute("k", 1)\n    one.set_attribute("l", 2)\n',
        [],
    ),
    "annotations by the recorder": (
        SDK + "@xray_recorder.capture()\ndef f():\n    xray_recorder.put_annotation('k', 1)\n"
        "    xray_recorder.current_subsegment().put_annotation('k', 2)\n",
        TRACE + '@tracer.start_as_current_span("f", attributes={"aws.xray.annotations": [\'k\']})\ndef f():\n'
        "    trace.get_current_span().set_attribute('k', 1)\n    trace.get_current_span().set_attribute('k', 2)\n",
        [],
    ),
    "metadata": (
        SDK + 'with xray_recorder.in_subsegment("a") as one:\n    one.put_metadata("k", {"x": 1})\n'
        '    # of the same namespace\n    one.put_metadata("l", 2)  # two\n    one.put_metadata("m", 3, "space")\n',
        "import json\n" + TRACE + 'with tracer.start_as_current_span("a") as one:\n'
        '    one.set_attribute("aws.xray.metadata.default", json.dumps({"k": {"x": 1}, "l": 2}, default=str))\n'
        "    # of the same namespace\n    # two\n"
        '    one.set_attribute("aws.xray.metadata.space", json.dumps({"m": 3}, default=str))\n',
        [],
    ),
    "coroutines": (
        SDK + "@xray_recorder.capture_async('co')\nasync def co():\n"
        "    async with xray_recorder.in_subsegment_async('a'), xray_recorder.in_subsegment_async('b') as b:\n"
        "        b.put_annotation('k', 1)\n",
        TRACE + "@tracer.start_as_current_span('co')\nasync def co():\n    with tracer.start_as_current_span('a'), "
        "tracer.start_as_current_span('b', attributes={\"aws.xray.annotations\": ['k']}) as b:\n"
        "        b.set_attribute('k', 1)\n",
        [],
    ),
    "methods": (
        SDK + "class Shop:\n    @staticmethod\n    @xray_recorder.capture('buy')\n    def buy(): ...\n",
        TRACE + "class Shop:\n    @staticmethod\n    @tracer.start_as_current_span('buy')\n    def buy(): ...\n",
        [],
    ),
    "patches and comments": (
        "# the app\nimport os\n# the SDK\nfrom aws_xray_sdk.core import patch, patch_all  # both\n\n# all\n"
        "patch_all()  # once\npatch(('boto3', 'requests'))\nprint(os)\n",
        "# the app\nimport os\n# the SDK\n# both\n\n# all\n# once\nprint(os)\n",
        [],
    ),
    "a module of the app's own": (
        "from aws_xray_sdk.core import patch, patch_all\npatch_all()\npatch(['shop'])\n",
        "from aws_xray_sdk.core import patch\npatch(['shop'])\n",
        ["3: patch stays"],
    ),
    "a patch that is all of its block": (
        "from aws_xray_sdk.core import patch_all\nif True:\n    patch_all()\n",
        "from aws_xray_sdk.core import patch_all\nif True:\n    patch_all()\n",
        ["3: patch_all stays"],
    ),
    "patches that are all of their block": (
        "from aws_xray_sdk.core import patch, patch_all\nif True:\n    patch_all()\n    patch(['boto3'])\n",
        "from aws_xray_sdk.core import patch\nif True:\n    patch(['boto3'])\n",
        ["4: patch stays"],
    ),
    "names that are taken": (
        SDK + "tracer = trace = 1\nwith xray_recorder.in_subsegment('a', 'remote'):\n    pass\n",
        "from opentelemetry import trace as otel_trace\n\notel_tracer = otel_trace.get_tracer(__name__)\n"
        "tracer = trace = 1\nwith otel_tracer.start_as_current_span('a', kind=otel_trace.SpanKind.CLIENT):\n    pass\n",
        [],
    ),
    "OpenTelemetry that is there": (
        "import json\nfrom opentelemetry import trace\n" + SDK + "tracer = trace.get_tracer(__name__)\n"
        "with xray_recorder.in_subsegment('a') as a:\n    a.put_metadata('k', 1)\n",
        "import json\nfrom opentelemetry import trace\ntracer = trace.get_tracer(__name__)\n"
        "with tracer.start_as_current_span('a') as a:\n"
        "    a.set_attribute(\"aws.xray.metadata.default\", json.dumps({'k': 1}, default=str))\n",
        [],
    ),
    "CRLF and another name": (
        "from aws_xray_sdk.core import xray_recorder as r\r\nwith r.in_subsegment('a'):\r\n    pass\r\n",
        "from opentelemetry import trace\r\n\r\ntracer = trace.get_tracer(__name__)\r\n"
        "with tracer.start_as_current_span('a'):\r\n    pass\r\n",
        [],
    ),
}
# What stays as it is, and what is said of it.
LEFT: dict[str, tuple[str, list[str]]] = {
    "a generator": (
        "@xray_recorder.capture()\ndef f():\n    xray_recorder.put_annotation('k', 1)\n    yield 1\n",
        ["2: capture on f, a generator"],
    ),
    "capture on a coroutine function": (
        "@xray_recorder.capture()\nasync def f(): ...\n", ["2: capture on f, which is a coroutine function"],
    ),
    "above a staticmethod": (
        "class A:\n    @xray_recorder.capture()\n    @staticmethod\n    def f(): ...\n",
        ["3: capture on f, above a staticmethod or classmethod"],
    ),
    "a subsegment that is handed on": (
        "with xray_recorder.in_subsegment('a') as one:\n    one.put_annotation('k', 1)\n    save(one)\n",
        ["2: one is used for more than annotations and metadata"],
    ),
    "a computed key": (
        "with xray_recorder.in_subsegment('a') as one:\n    one.put_annotation(f'k{1}', 1)\n",
        ["2: put_annotation with a key that X-Ray does not take, or that is computed"],
    ),
    "metadata in two places": (
        "with xray_recorder.in_subsegment('a') as one:\n    one.put_metadata('k', 1)\n    work()\n"
        "    one.put_metadata('l', 2)\n",
        ["2: put_metadata of the namespace default in several places"],
    ),
    "a namespace of AWS": (
        "with xray_recorder.in_subsegment('a', namespace='aws'):\n    pass\n",
        ["2: in_subsegment with a namespace that is neither local nor remote"],
    ),
    "by hand": (
        "def f():\n    xray_recorder.begin_subsegment('a')\n    xray_recorder.put_annotation('k', 1)\n"
        "    xray_recorder.end_subsegment()\n",
        ["3: xray_recorder.begin_subsegment stays", "4: put_annotation on a span that is started elsewhere",
         "5: xray_recorder.end_subsegment stays"],
    ),
    "a segment": (
        "with xray_recorder.in_segment('a'):\n    pass\n", ["2: xray_recorder.in_segment stays"],
    ),
    "the caller's span": (
        "def f():\n    xray_recorder.put_annotation('k', 1)\n",
        ["3: put_annotation on a span that is started elsewhere"],
    ),
    "the recorder handed on": (
        "use(xray_recorder)\n", ["2: xray_recorder is passed on"],
    ),
    "options": (
        "xray_recorder.configure(service='shop')\n", ["2: xray_recorder.configure stays"],
    ),
    "another import": (
        "import aws_xray_sdk\nfrom aws_xray_sdk.ext.util import strip_url\nuse(xray_recorder)\n",
        ["2: an import of aws_xray_sdk stays", "3: an import of aws_xray_sdk.ext.util stays",
         "4: xray_recorder is passed on"],
    ),
    "a parameter of that name": (
        "def f(xray_recorder):\n    xray_recorder.put_annotation('k', 1)\n",
        ["1: xray_recorder is also a local name in a function"],
    ),
    "an async with of other things": (
        "async def f():\n    async with session(), xray_recorder.in_subsegment_async('a'):\n        pass\n",
        ["3: an `async with` that has other items"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_code_is_rewritten(name: str) -> None:
    """Its comments stay, it is Python, and a second time changes nothing."""
    before, after, said = PAIRS[name]
    found = rewrite(before, "app.py")
    assert (found.text, [f"{one.line}: {one.what}" for one in found.left]) == (after, said)
    ast.parse(found.text)
    assert rewrite(found.text, "app.py").text == found.text


@pytest.mark.parametrize("name", LEFT)
def test_code_that_is_not_sure_stays(name: str) -> None:
    """To the byte, with the line and the reason."""
    code, said = LEFT[name]
    found = rewrite(SDK + code, "app.py")
    assert (found.text, [f"{one.line}: {one.what}" for one in found.left]) == (SDK + code, said)


APP = (
    SDK.replace("xray_recorder", "patch_all, xray_recorder")
    + """
patch_all()


@xray_recorder.capture("decorated")
def decorated(one):
    xray_recorder.put_annotation("key", one)
    xray_recorder.put_metadata("value", {"one": [one, None, 1.5]})
    with xray_recorder.in_subsegment("inner", namespace="remote"):
        return one


@xray_recorder.capture_async()
async def coroutine():
    async with xray_recorder.in_subsegment_async("block") as subsegment:
        subsegment.put_annotation("flag", True)
        subsegment.put_metadata("a", 1, "space")
        subsegment.put_metadata("b", "text", "space")


@xray_recorder.capture("fails")
def fails():
    with xray_recorder.in_subsegment("deep"):
        raise ValueError("refused")


@xray_recorder.capture("partly")
def partly(name):
    xray_recorder.put_annotation("sure", 1)
    xray_recorder.put_annotation(name, 2)
    with xray_recorder.in_subsegment("kept") as subsegment:
        return subsegment.name


def handler(event, context):
    if event["use"] == "decorated":
        return decorated(1)
    if event["use"] == "coroutine":
        import asyncio
        return asyncio.run(coroutine())
    if event["use"] == "partly":
        return partly("computed")
    try:
        fails()
    except ValueError as error:
        return str(error)
"""
)
USES = ("decorated", "coroutine", "partly", "fails")


def test_the_same_spans_are_recorded(tmp_path: Path) -> None:
    """By the bridge before, by OpenTelemetry's API after: answers, names, kinds, annotations, metadata, errors."""
    layer, found = make_layer(tmp_path / "layer"), []
    after = rewrite(APP, "app.py")
    assert [one.line for one in after.left] == [31, 32]
    for number, text in enumerate((APP, after.text)):
        task = tmp_path / str(number)
        task.mkdir()
        (task / "app.py").write_text(text)
        chosen = {"LAMBDA_LATENCY_XRAY_SDK": "bridge"}
        seen = observe(Path(sys.executable), "app", USES, layer=layer, variables=chosen, task=task)
        found.append({use: (one.answer, tree(one.documents)) for use, one in seen.items()})
    assert found[0] == found[1]
    trees: dict[str, tuple[Any, list[dict[str, Any]]]] = found[0]
    assert [[one["name"] for one in spans] for _, spans in trees.values()] == [
        ["decorated"], ["coroutine"], ["partly"], ["fails"],
    ]  # fmt: skip


CODE = SDK + "\n\n@xray_recorder.capture('f')\ndef handler(event, context):\n    return 1\n"


def test_an_app_is_rewritten_and_taken_back(tmp_path: Path) -> None:
    """Its requirements have OpenTelemetry's API in place of the SDK; the bridge is not needed any more."""
    template = make_app(tmp_path, app_py=CODE, requirements_txt="aws-xray-sdk\nboto3\n")
    before = files(tmp_path)
    status, out, _ = adopt(tmp_path, "--rewrite")
    assert (status, files(tmp_path) == before, "+@tracer.start_as_current_span('f')\n" in out) == (0, True, True)
    assert adopt(tmp_path, "--rewrite", "--write")[0] == 0
    assert (tmp_path / "src" / "app.py").read_text() == (
        TRACE + "\n\n@tracer.start_as_current_span('f')\ndef handler(event, context):\n    return 1\n"
    )
    assert (tmp_path / "src" / "requirements.txt").read_text() == f"{API}\nboto3\n"
    assert "LAMBDA_LATENCY_XRAY_SDK" not in template.read_text()
    written = files(tmp_path)
    assert adopt(tmp_path, "--rewrite", "--write")[0] == 0
    assert files(tmp_path) == written
    assert adopt(tmp_path, "--check")[0] == 0
    assert adopt(tmp_path, "--undo")[0] == 0
    assert files(tmp_path) == before


def test_a_recorder_that_other_modules_import_stays(tmp_path: Path) -> None:
    """They would fail without; both are said."""
    make_app(
        tmp_path,
        tracing_py=SDK + "with xray_recorder.in_subsegment('a'):\n    pass\n",
        app_py="from tracing import xray_recorder\n" + CODE.partition("\n")[2],
    )
    _, out, _ = adopt(tmp_path, "--rewrite", "--write")
    assert (tmp_path / "src" / "tracing.py").read_text().startswith(SDK + "from opentelemetry import trace\n")
    assert [line for line in out.splitlines() if line.startswith("src/")] == [
        f"src/tracing.py:1: imports opentelemetry, even with Tracing=Off: add {API} to the function's requirements",
        "src/tracing.py:1: xray_recorder stays: other modules import it from here: import it there",
    ]


def test_the_api_is_that_of_adots_layer() -> None:
    """One of another version would clash with the layer's packages."""
    lock = (Path(__file__).parents[3] / "requirements" / "dev.txt").read_text()
    assert f"\n{api_requirement(Wanted(packages='bundled'))} " in lock


def test_without_libcst_a_line_says_how_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1."""
    make_app(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    status, _, err = adopt(tmp_path, "--rewrite")
    assert (status, err.startswith("lambda-latency: --rewrite needs the extra adopt: pip install ")) == (1, True)
