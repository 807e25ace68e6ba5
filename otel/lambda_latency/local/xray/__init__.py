"""The emulator of X-Ray: receives OTLP, stores segment documents as X-Ray does, and serves BatchGetTraces."""
