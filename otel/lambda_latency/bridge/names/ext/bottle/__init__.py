"""Bottle."""
