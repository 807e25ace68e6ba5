"""`python -m lambda_latency` is `lambda-latency`."""

from lambda_latency.cli import main

raise SystemExit(main())
