"""The corpus: every handler that runs bare and with the kit."""

from __future__ import annotations

from tests.same.corpus import answers, programs, requests, tracers

__all__ = ["CORPUS"]

CORPUS = [*answers.CASES, *programs.CASES, *requests.CASES, *tracers.CASES]
