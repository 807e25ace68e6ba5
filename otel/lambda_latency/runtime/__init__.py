"""The code that runs inside Lambda with the handler. It imports OpenTelemetry and no other package of the kit."""
