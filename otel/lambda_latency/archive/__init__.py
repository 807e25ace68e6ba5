"""An archive of traces for long-term storage and queries: spans by hour, breakdowns of requests by day and route."""

from lambda_latency.archive import spark
from lambda_latency.archive.adding import Added, Compacted, add, compact, prune
from lambda_latency.archive.places import ArchiveError
from lambda_latency.archive.reading import ArchivedRequests, is_archive, open_archive, read_requests, rows_of
from lambda_latency.archive.request_filter import EXAMPLES, read_filter
from lambda_latency.archive.sql import DIALECTS, QueryResult, definitions, query

__all__ = [
    "DIALECTS",
    "EXAMPLES",
    "Added",
    "ArchiveError",
    "ArchivedRequests",
    "Compacted",
    "QueryResult",
    "add",
    "compact",
    "definitions",
    "is_archive",
    "open_archive",
    "prune",
    "query",
    "read_filter",
    "read_requests",
    "rows_of",
    "spark",
]
