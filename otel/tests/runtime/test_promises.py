"""The list of what `python -m lab promises` takes out follows the code."""

from __future__ import annotations

import pytest

from lab.promises import MUTATIONS, ROOT, Mutation


@pytest.mark.parametrize("one", MUTATIONS, ids=lambda one: f"{one.promise} {one.without}")
def test_each_text_stands_once_in_its_file_and_its_test_is_there(one: Mutation) -> None:
    """A text that has moved would end the run after minutes."""
    assert (ROOT / "otel" / "lambda_latency" / "runtime" / one.file).read_text().count(one.text) == 1
    file, _, function = one.test.partition("[")[0].partition("::")
    assert f"def {function}(" in (ROOT / "otel" / "tests" / "runtime" / file).read_text()
