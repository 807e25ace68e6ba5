"""The whole system on a laptop: gateway, sandbox, table, payments provider, span receiver. Linux, no AWS, no Docker."""
