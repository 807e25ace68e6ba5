"""The app's own files in an artifact."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_latency.template import decoded, own_python_files


def test_tests_packages_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    """Sorted within a folder; a file that no import can name is no module."""
    for name in (
        "app.py", "my-handler.py", "test_app.py", "app.test.py", "notes.txt", "shop/__init__.py", "shop/tests/a.py",
        ".venv/lib/x.py", "six.py", "boto3/session.py", "six-1.dist-info/RECORD", "boto3-1.dist-info/METADATA",
        "odd-1.dist-info/RECORD", "odd,name/a.py",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "six-1.dist-info" / "RECORD").write_text("six.py,sha256=aa,1\nsix-1.dist-info/RECORD,,\n")
    found = [str(path.relative_to(tmp_path)) for path in own_python_files(tmp_path, ["tests"])]
    assert found == ["app.py", "my-handler.py", "boto3/session.py", "odd,name/a.py", "shop/__init__.py"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_text_by_its_byte_order_mark(encoding: str) -> None:
    """The mark stays in the text, so that encoding it gives the same bytes."""
    content = "\ufeffboto3\n".encode(encoding)
    assert decoded(content) == ("\ufeffboto3\n", encoding)
    assert decoded(b"boto3\n") == ("boto3\n", "utf-8")
