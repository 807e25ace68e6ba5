"""`python -m otel` is `lambda-latency`."""

from otel.cli import main

raise SystemExit(main())
