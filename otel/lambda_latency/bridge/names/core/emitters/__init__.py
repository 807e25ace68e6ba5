"""Emitters."""
