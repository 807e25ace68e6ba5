"""Durable executions: planted causes, and whether a report names them."""
