"""Redaction: removes secrets from what leaves a function, by names, by values, and by their place in a text."""
