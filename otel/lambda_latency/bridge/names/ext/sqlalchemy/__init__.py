"""Sqlalchemy."""
