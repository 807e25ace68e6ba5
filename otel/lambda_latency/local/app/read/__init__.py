"""Reads an app: its template, the files beside it, its functions and its APIs."""
