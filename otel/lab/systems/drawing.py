"""Draws systems: some services behind an entry, and routes whose durations differ up to twenty-fold."""

import random

from lab.systems.steps import Call, Host, Operation, Query, Route, Step, System, Table, Together, Work, typical_ms

SERVICES = ("auth", "baskets", "catalog", "customers", "inventory", "invoices", "mail", "orders", "prices", "reviews",
            "search", "shipping", "stock", "tax", "users", "vouchers")  # fmt: skip
ENTRY = "shop"
HOSTS = ("payments.example.com", "maps.example.com", "rates.example.com")
ROUTES = ("GET /products", "POST /orders", "GET /orders/{id}", "GET /search", "GET /export", "POST /reviews",
          "GET /basket", "DELETE /orders/{id}")  # fmt: skip
DEEPEST = 2
FASTEST_MS, TIMES = 30.0, 20.0  # the fastest route, and how many times as long the slowest takes
CLOCK_MS = 40.0


def draw_system(seed: int, routes: int = 0) -> System:
    """A system of 4 to 12 services beside the entry, with 3 to 6 routes or so many."""
    draw = random.Random(seed)  # noqa: S311 - repeatable
    services = draw.sample(SERVICES, draw.randint(4, 12))
    count = routes or draw.randint(3, 6)
    names = draw.sample(ROUTES, count)
    drawn = []
    for number, name in enumerate(names):
        target_ms = FASTEST_MS * TIMES ** (number / (count - 1)) * draw.uniform(0.8, 1.2)
        operation = _operation(draw, ENTRY, name, services, 0)
        drawn.append(Route(name, _scaled(operation, target_ms / typical_ms(operation.steps)), draw.uniform(0.6, 1.4)))
    skewed = draw.random() < 0.5
    clocks = {service: draw.uniform(-CLOCK_MS, CLOCK_MS) for service in services} if skewed else {}
    return System(tuple(drawn), clocks)


def _operation(draw: random.Random, service: str, name: str, services: list[str], depth: int) -> Operation:
    steps: list[Step] = [Work(draw.uniform(2, 12))]
    for _ in range(draw.randint(2, 3) if depth == 0 else draw.randint(1, 2)):
        if draw.random() < 0.4:
            steps.append(Together(tuple(_call(draw, service, services, depth) for _ in range(draw.randint(2, 3)))))
        else:
            steps.append(_call(draw, service, services, depth))
    return Operation(service, name, (*steps, Work(draw.uniform(1, 5))))


def _call(draw: random.Random, service: str, services: list[str], depth: int) -> Query | Host | Table | Call:
    other_services = [name for name in services if name != service]
    kind = draw.choices(("call", "query", "table", "host"), (6 if depth < DEEPEST else 0, 2, 1.5, 1))[0]
    if kind == "call":
        callee = draw.choice(other_services)
        callees = [name for name in other_services if name != callee]  # no circle of calls
        return Call(_operation(draw, callee, f"POST /{callee}", callees, depth + 1), draw.uniform(2, 5))
    if kind == "query":
        return Query(f"{service}_db", draw.uniform(3, 20))
    if kind == "table":
        return Table(f"{service}_items", draw.uniform(4, 12))
    return Host(draw.choice(HOSTS), draw.uniform(20, 60))


def _scaled(operation: Operation, times: float) -> Operation:
    """The operation with all its times multiplied."""
    return Operation(operation.service, operation.name, tuple(_step(step, times) for step in operation.steps))


def _step(step: Step, times: float) -> Step:
    if isinstance(step, Together):
        return Together(tuple(_branch(branch, times) for branch in step.branches))
    return Work(step.ms * times) if isinstance(step, Work) else _branch(step, times)


def _branch(step: Query | Host | Table | Call, times: float) -> Query | Host | Table | Call:
    if isinstance(step, Query):
        return Query(step.database, step.ms * times)
    if isinstance(step, Host):
        return Host(step.name, step.ms * times)
    if isinstance(step, Table):
        return Table(step.name, step.ms * times)
    return Call(_scaled(step.operation, times), step.ms * times)
