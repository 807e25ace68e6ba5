"""Times accounts of an archive's spans: `python -m lab.spark.timed SPILL ARCHIVE OUT`, in Spark's environment.

OUT gets the seconds, after a first small job, and the number of requests. A sum reads every column's row once.
"""

import json
import sys
import time
from pathlib import Path

from lab.spark.job import local
from lambda_latency.archive import spark

if __name__ == "__main__":
    spill, archive, out = sys.argv[1:]
    session = local(spill)
    session.range(1_000).mapInArrow(lambda batches: batches, "id long").count()
    begin = time.monotonic()
    frame = spark.accounts(session, archive)
    [[requests, _]] = frame.selectExpr("count(*)", "sum(wall_ns + size(parts))").collect()
    Path(out).write_text(json.dumps([time.monotonic() - begin, requests]))
    session.stop()
