"""What other packages may import of redaction."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency import redaction

PACKAGE = "lambda_latency.redaction"
KIT = Path(redaction.__file__).parent.parent


def test_each_public_name_is_there_and_no_other() -> None:
    """Each is imported at its first use."""
    assert {name for name in redaction.__all__ if getattr(redaction, name) is not None} == {*redaction.MODULES}
    with pytest.raises(AttributeError, match="no attribute 'is_name'"):
        redaction.is_name  # noqa: B018


def test_other_packages_import_the_public_names_alone() -> None:
    """The modules behind it may change. Two modules that redaction itself needs would be in a circle with it."""
    importers = {
        path.name
        for path in KIT.rglob("*.py")
        if f"{PACKAGE}." in path.read_text("utf-8") and path.parent != Path(redaction.__file__).parent
    }
    assert importers == set()


def test_the_package_imports_no_module_by_itself() -> None:
    """A cold start pays for each."""
    code = f"import sys, {PACKAGE}; print([one for one in sys.modules if one.startswith('{PACKAGE}.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
