"""Libraries that make calls which nothing traces: whoever imports one is told so, once an environment.

Imported after the first response, for nothing of it may take a request's time.
"""

from __future__ import annotations

import sys

from lambda_latency.runtime.harmless import warn

__all__ = ["SQL", "UNTRACEABLE", "tell"]

# By the module that is imported. Traced where SQLAlchemy calls them.
SQL = frozenset(("aiomysql", "asyncmy", "clickhouse_driver", "cx_Oracle", "duckdb", "oracledb", "pymssql", "pyodbc",
                 "redshift_connector", "snowflake.connector"))  # fmt: skip
UNTRACEABLE = SQL | {
    "aerospike", "couchbase", "curl_cffi", "glide", "ldap3", "neo4j", "niquests", "nats", "paramiko", "pycurl",
    "pyhive", "smbclient", "stomp", "tornado.httpclient", "websockets",
}  # fmt: skip


def tell(told: set[str]) -> None:
    """One line for each that is imported; `told` remembers which."""
    traced = SQL if "sqlalchemy" in sys.modules else frozenset()
    for name in sorted(UNTRACEABLE - told - traced):
        if name in sys.modules:
            told.add(name)
            warn(f"{name} is imported, and nothing traces its calls: their time is own code; a span around each tells "
                 "them apart")  # fmt: skip
