"""Which requests are traced: a reservoir each second, and a share of the rest."""

from __future__ import annotations

import random

from lambda_latency.local.gateway.api_gateway import Sampler


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_795_560_000.0

    def __call__(self) -> float:
        return self.now


def _draws(sampler: Sampler, count: int) -> list[bool]:
    return [sampler() for _ in range(count)]


def test_the_reservoir_is_filled_anew_each_second() -> None:
    """So many requests of each second are traced although the rate is 0."""
    clock = Clock()
    sampler = Sampler(per_second=2, rate=0, clock=clock)
    first = _draws(sampler, 4)
    clock.now += 0.9
    same_second = _draws(sampler, 2)
    clock.now += 0.1
    assert (first, same_second, _draws(sampler, 4)) == (
        [True, True, False, False],
        [False, False],
        [True, True, False, False],
    )


def test_what_was_not_taken_does_not_add_up() -> None:
    """A second without requests leaves nothing for the next."""
    clock = Clock()
    sampler = Sampler(per_second=1, rate=0, clock=clock)
    _draws(sampler, 1)
    clock.now += 10
    assert _draws(sampler, 3) == [True, False, False]


def test_the_rate_decides_on_the_rest() -> None:
    """With a rate of 1 every request is traced, with none of both none is."""
    clock = Clock()
    assert (_draws(Sampler(0, 1, clock=clock), 5), _draws(Sampler(0, 0, clock=clock), 5)) == ([True] * 5, [False] * 5)


def test_the_rate_is_met_by_seeded_draws() -> None:
    """5 % of the requests beyond the reservoir: those that the seed picks, and the reservoir uses up no draw."""
    draw = random.Random(7)  # noqa: S311 - a draw, not a secret
    expected = [draw.random() < 0.05 for _ in range(2000)]
    seen = _draws(Sampler(seed=7, clock=Clock()), 2001)
    assert (seen, sum(expected)) == ([True, *expected], 120)


def test_another_seed_picks_others() -> None:
    """Two runs with the same seed agree, with another they do not."""
    one, same, other = (_draws(Sampler(0, 0.5, seed, Clock()), 64) for seed in (1, 1, 2))
    assert (one == same, one == other) == (True, False)


def test_the_default_is_that_of_x_ray() -> None:
    """One each second and 5 %: the first request of a run is always traced."""
    assert Sampler()() is True
