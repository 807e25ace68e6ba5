"""The corpus: every handler that runs bare and with the kit."""

from lab.same.corpus import answers, practices, programs, requests, tracers

CORPUS = [*answers.CASES, *practices.CASES, *programs.CASES, *requests.CASES, *tracers.CASES]
