"""X-Ray on a laptop: OTLP in, segment documents as X-Ray stores them, and BatchGetTraces to read them."""
