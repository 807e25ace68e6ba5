"""Drawn systems: the time that a report finds in each cell is the time that was planted there."""

from __future__ import annotations

import random
from pathlib import Path
from statistics import mean, median

import pytest

from lab.classes import System as Drawn
from lab.classes import write
from lab.judging.answer import Cell, read
from lab.systems.drawing import draw_system
from lab.systems.running import NOISES, Cause, Load, draw_causes, run
from lab.systems.steps import Call, Host, Operation, Query, Route, System, Table, Work, typical_ms
from lambda_latency.latency import Accounts, Part

LOAD = Load(60, sigma=0.1, noise="independent")
STOCK = Operation("stock", "GET /stock", (Work(4.0), Query("stock_db", 5.0)))
STEPS = (Work(10.0), Call(STOCK, 6.0), Table("baskets", 8.0), Host("maps.example.com", 20.0))
SHOP = System((Route("GET /basket", Operation("shop", "GET /basket", STEPS)),), {"stock": 900.0})
CELLS = {
    Cell("shop", "own code", "shop"): "slower",
    Cell("stock", "own code", "stock"): "slower",
    Cell("stock", "database", "postgresql stock_db"): "more calls",
    Cell("shop", "network", "stock"): "slower",
    Cell("shop", "external", "maps.example.com"): "slower",
    Cell("shop", "retries", "DynamoDB baskets"): "retries",
    Cell("shop", "cold start", "shop"): "cold start",
}


def part_ms(accounts: Accounts, bucket: str, name: str) -> list[float]:
    """The milliseconds of a part in each request."""
    return [dict(one.parts).get(Part(bucket, name), 0) / 1e6 for one in accounts]


@pytest.mark.parametrize("cell", CELLS, ids=" ".join)
def test_a_cause_takes_its_time_in_its_cell(cell: Cell, tmp_path: Path) -> None:
    """By 400 ms, although the clock of one service is wrong."""
    path = tmp_path / "traces.json"
    run(SHOP, LOAD, (), 1, path)
    before = read(path)
    (added,) = run(SHOP, LOAD, (Cause(CELLS[cell], cell, 400.0),), 1, path)
    now = read(path)
    more = mean(part_ms(now, *cell[1:])) - mean(part_ms(before, *cell[1:]))
    assert len(added) == LOAD.requests
    assert more == pytest.approx(mean(added), rel=0.1)
    assert mean(now.walls_ns) - mean(before.walls_ns) == pytest.approx(mean(added) * 1e6, rel=0.1)


def test_a_queue_is_time_of_the_network_to_its_service(tmp_path: Path) -> None:
    """Each request waits for those before it."""
    path = tmp_path / "traces.json"
    cause = Cause("queue", Cell("shop", "network", "stock"), 300.0, "stretch", first=0.5)
    (added,) = run(SHOP, LOAD, (cause,), 1, path)
    waited = part_ms(read(path), "network", "stock")
    assert len(added) == LOAD.requests / 2
    assert max(added) > 1000
    assert sum(waited) == pytest.approx(sum(added) + 6 * LOAD.requests, rel=0.05)


@pytest.mark.parametrize(
    ("when", "hit"),
    [
        ({"when": "stretch", "first": 0.4, "last": 0.5}, 6),
        ({"when": "period", "share": 0.5}, 30),
        ({"when": "tenant"}, 5),
    ],
)
def test_a_cause_hits_its_requests_alone(when: dict[str, object], hit: int, tmp_path: Path) -> None:
    """Those of its time or of its tenant."""
    cause = Cause("slower", Cell("shop", "own code", "shop"), 400.0, **when)  # type: ignore[arg-type]
    (added,) = run(SHOP, LOAD, (cause,), 1, tmp_path / "traces.json")
    assert abs(len(added) - hit) <= 3


@pytest.mark.parametrize("seed", range(5))
def test_routes_differ_up_to_twenty_fold(seed: int) -> None:
    """And each is a way through several services."""
    typical = sorted(typical_ms(route.operation.steps) for route in draw_system(seed).routes)
    assert 12 < typical[-1] / typical[0] < 31


def test_a_system_is_the_same_each_time(tmp_path: Path) -> None:
    """By its seed: traces and causes."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert write(Drawn(3, 1), first) == write(Drawn(3, 1), second)
    assert first.read_bytes() == second.read_bytes()


def test_causes_are_in_different_cells() -> None:
    """So that each has its class."""
    for seed in range(20):
        causes = draw_causes(draw_system(seed), Load(), 3, random.Random(seed))  # noqa: S311
        assert len({cause.cell[1:] for cause in causes}) == 3


@pytest.mark.parametrize("noise", NOISES)
def test_noise_has_its_name(noise: str, tmp_path: Path) -> None:
    """Bursts make some requests several times as long, a drift moves all of them."""
    path = tmp_path / "traces.json"
    run(SHOP, Load(400, noise=noise), (), 2, path)
    accounts = read(path)
    walls = [wall for _, wall in sorted(zip(accounts.starts_ns, accounts.walls_ns, strict=True))]
    blocks = [median(walls[at : at + 20]) for at in range(0, 400, 20)]
    spread = max(blocks) / median(blocks)
    assert {"independent": 1 < spread < 1.2, "drift": 1.15 < spread < 1.6, "bursts": spread > 1.4}[noise], spread
