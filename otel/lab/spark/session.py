"""A Spark session in local mode, which listens on the loopback interface alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["local"]


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
