"""Reads an app: its template, the files next to it, its functions and its APIs."""
