"""What other rooms may import of redaction."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_latency.runtime import redact

ROOM = "lambda_latency.runtime.redact"
KIT = Path(redact.__file__).parent.parent.parent


def test_each_name_of_the_face_is_there_and_no_other() -> None:
    """Each is imported at its first use."""
    assert {name for name in redact.__all__ if getattr(redact, name) is not None} == {*redact.MODULES}
    with pytest.raises(AttributeError, match="no attribute 'is_name'"):
        redact.is_name  # noqa: B018


def test_other_rooms_import_the_face_alone() -> None:
    """The modules behind it may change. Two modules that redaction itself needs would be in a circle with the face."""
    found = {
        path.name
        for path in KIT.rglob("*.py")
        if f"{ROOM}." in path.read_text("utf-8") and path.parent != Path(redact.__file__).parent
    }
    assert found == {"harmless.py", "settings.py"}


def test_the_face_imports_no_module_by_itself() -> None:
    """A cold start pays for each."""
    code = f"import sys, {ROOM}; print([one for one in sys.modules if one.startswith('{ROOM}.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
