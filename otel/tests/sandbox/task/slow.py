"""Takes longer to import than the init limit the first time, and starts at once the second time."""

import os
import pathlib
import time
from typing import Any

seen = pathlib.Path(os.environ["SEEN"])
if not seen.exists():
    seen.write_text("once")
    time.sleep(60)


def handler(event: Any, context: Any) -> Any:
    return "ready"
