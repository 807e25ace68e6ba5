"""The code that runs inside Lambda beside the handler. Imports OpenTelemetry and no other room of the kit."""
