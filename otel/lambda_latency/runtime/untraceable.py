"""Logs imported libraries whose calls nothing traces, once in each environment.

It is imported after the first response, so it takes no time of a request.
"""

from __future__ import annotations

import sys

from lambda_latency.runtime.harmless import warn

# Module names. Calls through SQLAlchemy are traced.
SQL = frozenset(("aiomysql", "asyncmy", "clickhouse_driver", "cx_Oracle", "duckdb", "oracledb", "pymssql", "pyodbc",
                 "redshift_connector", "snowflake.connector"))  # fmt: skip
UNTRACEABLE = SQL | {
    "aerospike", "couchbase", "curl_cffi", "glide", "ldap3", "neo4j", "niquests", "nats", "paramiko", "pycurl",
    "pyhive", "smbclient", "stomp", "tornado.httpclient", "websockets",
}  # fmt: skip


def log_imported(logged: set[str]) -> None:
    """Log each such library that is imported and not in `logged`, and add it to `logged`."""
    traced = SQL if "sqlalchemy" in sys.modules else frozenset()
    for name in sorted(UNTRACEABLE - logged - traced):
        if name in sys.modules:
            logged.add(name)
            warn(
                f"{name} is imported, and nothing traces its calls: their time is own code; a span around each tells "
                "them apart"
            )
