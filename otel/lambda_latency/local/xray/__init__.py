"""X-Ray on a laptop: OTLP in, segment documents as X-Ray would hold them, found again with BatchGetTraces."""
