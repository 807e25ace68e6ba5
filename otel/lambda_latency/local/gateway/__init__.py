"""API Gateway's emulator: routes, events, authorizers, sampling."""
