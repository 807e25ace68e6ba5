"""An archive of traces for long-term storage and queries: spans by hour, accounts of requests by day and route."""

from lambda_latency.archive.adding import Added, add
from lambda_latency.archive.errors import ArchiveError
from lambda_latency.archive.keeping import Compacted, compact, prune
from lambda_latency.archive.part import TEMPLATE, install_packages, write_part
from lambda_latency.archive.reading import Kept, is_archive, open_archive, read_kept, rows_of
from lambda_latency.archive.sql import DIALECTS, Answer, definitions, query
from lambda_latency.archive.wanted import EXAMPLES, wanted

__all__ = [
    "DIALECTS",
    "EXAMPLES",
    "TEMPLATE",
    "Added",
    "Answer",
    "ArchiveError",
    "Compacted",
    "Kept",
    "add",
    "compact",
    "definitions",
    "install_packages",
    "is_archive",
    "open_archive",
    "prune",
    "query",
    "read_kept",
    "rows_of",
    "wanted",
    "write_part",
]
