"""What a failed comparison prints, for each lie: the texts in docs/reference/testing.md, in the order of the lies."""

import re
from pathlib import Path

LIES = Path(__file__).with_name("lies") / "lies.py"
PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "testing.md").read_text("utf-8")
TRUE = ["test_a_provisional_span_and_its_final_one_are_no_duplicate", "test_an_exception_told", "test_propagated"]
NAMES = [name for name in re.findall(r"^def (test_\w+)", LIES.read_text("utf-8"), re.MULTILINE) if name not in TRUE]
PRINTED: dict[str, str] = dict(zip(NAMES, re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL), strict=True))
