"""The table of the X-Ray SDK's names: each is made as it says, and each is a name of the SDK's."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from lab.bridge.sides import make_layer
from lambda_latency.bridge.names import ALL, MODULES, SDK

# They import frameworks, the SDK's also those of the second line
FRAMEWORKS = {"ext.sqlalchemy.query", "ext.flask_sqlalchemy.query"}
THEIRS = {"ext.django.apps", "ext.django.middleware", "ext.flask.middleware", "ext.bottle.middleware"}
SET_LATER = {"runtime_context"}  # by the SDK's plugins as they begin
CODE = f"""
import json, sys, importlib
made = {{}}
for name in {sorted(ALL - FRAMEWORKS)!r}:
    module = importlib.import_module(f"{SDK}.{{name}}")
    made[name] = [hasattr(module, "__path__"), type(module.__loader__).__name__,
                  sorted(key for key in vars(module) if not key.startswith("__"))]
import aws_xray_sdk.core
try:
    aws_xray_sdk.core.nothing
except AttributeError as error:
    made["missing"] = str(error)
made["lazy"] = aws_xray_sdk.core.models.http.XRAY_HEADER
try:
    import aws_xray_sdk.core.daemon_config
except ModuleNotFoundError as error:
    made["unknown"] = str(error)
print(json.dumps(made))
"""


def names_in(module: str) -> set[str]:
    """The names of a row."""
    parts = [part.split(" ")[1:] for part in MODULES.get(module, "").split("; ")]
    return {name.partition("=")[0] for names in parts for name in names}


def children_of(module: str) -> set[str]:
    """The names of a package's modules."""
    return {name.removeprefix(f"{module}.").partition(".")[0] for name in ALL if name.startswith(f"{module}.")}


def test_each_module_of_the_table_is_made(tmp_path: Path) -> None:
    """From the layer, in which the package is one file; packages are those that have modules."""
    layer = make_layer(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(layer / "python")}
    child = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
    made = json.loads(child.stdout)
    assert [made.pop(name) for name in ("missing", "unknown", "lazy")] == [
        "module 'aws_xray_sdk.core' has no attribute 'nothing'",
        "No module named 'aws_xray_sdk.core.daemon_config'",
        "X-Amzn-Trace-Id",
    ]
    for module, (is_package, loader, names) in made.items():
        children = children_of(module)
        assert (is_package, loader) == (bool(children), "Finder")
        assert set(names) - children == names_in(module)
    assert sorted(path.name for path in (layer / "python" / SDK).glob("*.py")) == ["__init__.py"]


@pytest.mark.parametrize("module", sorted(MODULES.keys() - FRAMEWORKS - THEIRS))
def test_the_names_are_the_sdks(module: str) -> None:
    """A name that the SDK lacks would be of no use to anybody."""
    sdk = import_module(f"{SDK}.{module}")
    assert {name for name in names_in(module) if not hasattr(sdk, name)} <= SET_LATER
