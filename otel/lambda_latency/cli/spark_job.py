"""Reports on an archive by Spark, as `lambda-latency report ARCHIVE --format json` does on one machine.

    spark-submit job.py ARCHIVE OUT [--since T] [--until T] [--route R]

OUT is a file or an address such as s3://bucket/report.json. Driver and executors need lambda-latency[archive].
`lambda-latency archive spark-job` prints this file. Spark 4.
"""

from __future__ import annotations

import argparse
import json
import time

import fsspec
from pyspark.sql import SparkSession

from lambda_latency.archive import spark
from lambda_latency.latency import DEFAULT_OPTIONS, instant, of_route, of_time, report_of
from lambda_latency.text import document
from lambda_latency.version import VERSION


def main() -> None:
    """Write the report's JSON to OUT."""
    parser = argparse.ArgumentParser(description="Reports on an archive by Spark.")
    parser.add_argument("archive", metavar="ARCHIVE")
    parser.add_argument("out", metavar="OUT")
    parser.add_argument("--since", metavar="T", help="requests from T on: 2026-11-25T08:00:00Z, or 24h")
    parser.add_argument("--until", metavar="T", help="requests before T")
    parser.add_argument("--route", metavar="R", help="requests of one route")
    options = parser.parse_args()
    now_ns = time.time_ns()
    since_ns, until_ns = (instant(text, now_ns) if text else None for text in (options.since, options.until))
    session = SparkSession.builder.appName("lambda-latency").getOrCreate()
    frame = spark.accounts(session, options.archive, since_ns, until_ns)
    if options.route is not None:
        frame = frame.where(frame.route == options.route)
    requests = spark.collect(frame, options.archive)
    chosen = of_time(of_route(requests.breakdowns, options.route), since_ns, until_ns)
    owners = DEFAULT_OPTIONS.owners.settle(requests.breakdowns)
    report = report_of(chosen, requests.find, sources=[options.archive], owners=owners, spans=requests.spans_of)
    with fsspec.open(options.out, "w") as file:
        json.dump(document(report, command="spark-job", version=VERSION), file)
    session.stop()


if __name__ == "__main__":
    main()
