"""Readers of stores of spans: rows of tables, and the answers of a query."""
