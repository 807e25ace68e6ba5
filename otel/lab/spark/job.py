"""What Spark says of an archive, pickled: run in Spark's environment as `python -m lab.spark.job FOLDER ARCHIVE ...`.

An address of a bucket is filled from FOLDER/traces.jsonl first.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_latency.archive import add, definitions, spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession  # in Spark's environment alone; the program that starts it reads PARTITIONS

PARTITIONS = (1, 2, 7)
P95 = "select route, percentile_disc(0.95) within group (order by wall_ns), count(*) from {table} group by 1"
PARTS = """
    select part.bucket, part.name, sum(part.ns), count(*)
    from (select explode(parts) as part from {table}) group by 1, 2
"""


def local(folder: str, **settings: object) -> SparkSession:
    """As many tasks at once as there are processors; what spills goes below `folder`."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[*]").appName("lambda-latency")
    of_all = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.local.dir": folder,
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        **settings,
    }
    for name, value in of_all.items():
        builder = builder.config(name, str(value))
    return builder.getOrCreate()


def main() -> int:
    """Write what was found to FOLDER/spark.pickle."""
    folder, archives = Path(sys.argv[1]), sys.argv[2:]
    session = local(str(folder / "spark"), **{"spark.sql.shuffle.partitions": 8})
    results: dict[str, Any] = {"accounts": {}, "sql": {}}
    for where in archives:
        if "://" in where:
            add(where, [folder / "traces.jsonl"])
        frame = spark.accounts(session, where).cache()
        results["accounts"][where] = spark.collect(frame, where).breakdowns
        frame.createOrReplaceTempView("of_spans")
        results["sql"][where] = answers(session, "of_spans")
    where = archives[0]
    for statement in definitions("spark", where).split(";"):
        if statement.strip():
            session.sql(statement)
    results["sql"]["tables"] = answers(session, "accounts")
    frame = spark.accounts(session, where)
    results["columns"] = (frame.columns, session.table("accounts").columns)
    session.conf.set("spark.sql.adaptive.enabled", "false")
    for partitions in PARTITIONS:
        session.conf.set("spark.sql.shuffle.partitions", str(partitions))
        frame = spark.accounts(session, where)
        assert frame.rdd.getNumPartitions() == partitions
        results["accounts"][partitions] = spark.collect(frame, where).breakdowns
    (folder / "spark.pickle").write_bytes(pickle.dumps(results))
    session.stop()
    return 0


def answers(session: SparkSession, table: str) -> dict[str, list[tuple[Any, ...]]]:
    """The 95th percentile and the number of requests by route; the time of each part and its number of requests."""
    return {
        name: sorted(map(tuple, session.sql(text.format(table=table)).collect()))
        for name, text in (("p95", P95), ("parts", PARTS))
    }


if __name__ == "__main__":
    raise SystemExit(main())
