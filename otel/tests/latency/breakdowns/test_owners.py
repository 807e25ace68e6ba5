"""Owners of callees: what the name of a host, the services of the traces and the user's patterns tell."""

import pytest

from lambda_latency.latency import (
    Breakdown,
    Breakdowns,
    Component,
    Edge,
    Owners,
    breakdown_of,
    owner_by_name,
    report_of,
)
from lambda_latency.latency.breakdowns.owners import common_name
from lambda_latency.text import Style, document, render_report
from lambda_latency.trace import SpanKind
from tests.latency.drawn_requests import drawn
from tests.trace.build import MS, node, tree

SEEN = Owners(services=frozenset({"reviews", "cart", "Payments"}))
SELF = "the machine itself: a process beside the code, such as a proxy or an extension"
PLATFORM = "an address of the platform on each machine (metadata, credentials)"
CLUSTER = "a name inside a Kubernetes cluster"
PRIVATE = "a name of a private network"
PAIR = "a name of two words, as a service and its namespace have"
REVIEWS = "the service reviews, which records spans in these traces"
ACCOUNT = "whose account the name does not tell"

HOSTS = [
    # This machine.
    ("127.0.0.1", "unknown", SELF),
    ("localhost", "unknown", SELF),
    ("[::1]:15001", "unknown", SELF),
    ("0.0.0.0", "unknown", SELF),
    ("unix:///var/run/app.sock", "unknown", SELF),
    ("sandbox.localdomain:8080", "unknown", SELF),
    ("localhost.localstack.cloud:4566", "unknown", SELF),
    # Private ranges.
    ("10.0.3.5", "unknown", "a private address"),
    ("10.0.3.5:8080", "unknown", "a private address"),
    ("172.16.9.9", "unknown", "a private address"),
    ("172.31.255.1", "unknown", "a private address"),
    ("192.168.1.4", "unknown", "a private address"),
    ("100.64.3.3", "unknown", "a private address (shared address space)"),
    ("198.18.0.3", "unknown", "a private address (for tests of networks)"),
    ("240.240.0.5", "unknown", "a reserved address, as meshes give to services"),
    ("169.254.10.1", "unknown", "a link-local address"),
    ("fe80::1%eth0", "unknown", "a link-local address"),
    ("fec0::2", "unknown", "a private address (site-local)"),
    ("224.0.0.251", "unknown", "a multicast address"),
    ("ff02::fb", "unknown", "a multicast address"),
    ("ipv4:10.0.0.7:50051", "unknown", "a private address"),
    ("ipv6:[fd00::7]:50051", "unknown", "a private address (unique local)"),
    ("::ffff:10.1.2.3", "unknown", "a private address"),
    ("64:ff9b::a00:1", "unknown", "a private address"),
    # The platform.
    ("169.254.169.254", "platform", PLATFORM),
    ("fd00:ec2::254", "platform", PLATFORM),
    ("metadata.google.internal", "platform", PLATFORM),
    ("169.254.79.129:2000", "platform", PLATFORM),
    # Public addresses.
    ("172.32.0.1", "theirs", "a public address"),
    ("2606:4700::1", "theirs", "a public address"),
    # Names inside of clusters and networks.
    ("ratings.default.svc", "unknown", CLUSTER),
    ("ratings.default.svc.k8s.example.com", "unknown", CLUSTER),
    ("outbound|8080||ratings.default.svc.cluster.local", "unknown", CLUSTER),
    ("dns:///ratings.default.svc.cluster.local:9090", "unknown", CLUSTER),
    ("ratings-0.ratings", "unknown", PAIR),
    ("xds:///ratings.bookinfo:8080", "unknown", PAIR),
    ("ratings.prod", "unknown", PRIVATE),
    ("ratings", "unknown", "a name without a domain"),
    ("ratings.internal", "unknown", PRIVATE),
    ("proxy.acme.intra:3128", "unknown", PRIVATE),
    ("ratings.nomad", "unknown", PRIVATE),
    ("host.docker.internal", "unknown", PRIVATE),
    ("ip-10-0-3-5.eu-west-1.compute.internal", "unknown", "a machine of a private network on AWS"),
    ("hipstershop.CartService", "unknown", "the name of an interface, and no host"),
    # Services of the traces.
    ("reviews", "ours", REVIEWS),
    ("cart.shop", "ours", "the service cart, which records spans in these traces"),
    ("payments.prod.svc", "ours", "the service Payments, which records spans in these traces"),
    (
        "outbound|9080||reviews.prod.svc.cluster.local",
        "ours",
        REVIEWS,
    ),
    ("dns:///reviews.prod:9090", "ours", REVIEWS),
    ("reviews.example.com", "theirs", "a public name"),
    # Load balancers, and other hosts on AWS that a customer owns.
    (
        "internal-shop-12.eu-west-1.elb.amazonaws.com",
        "unknown",
        "an internal load balancer, which only its own network reaches",
    ),
    ("shop-12.eu-west-1.elb.amazonaws.com", "unknown", f"a load balancer on AWS, {ACCOUNT}"),
    ("nlb-1.elb.eu-west-1.amazonaws.com", "unknown", f"a load balancer on AWS, {ACCOUNT}"),
    ("a1b2.execute-api.eu-west-1.amazonaws.com", "unknown", f"an API on API Gateway, {ACCOUNT}"),
    ("x1.lambda-url.us-east-1.on.aws", "unknown", f"the URL of a Lambda function, {ACCOUNT}"),
    ("d111.cloudfront.net", "unknown", f"a host on AWS, {ACCOUNT}"),
    ("ec2-1-2-3-4.compute-1.amazonaws.com", "unknown", f"a machine on EC2, {ACCOUNT}"),
    ("db.a1.eu-west-1.rds.amazonaws.com", "unknown", f"a server that AWS runs for a customer, {ACCOUNT}"),
    ("vpce-svc-1.us-east-1.vpce.amazonaws.com", "unknown", f"a service behind PrivateLink, {ACCOUNT}"),
    ("vpce-0a-b.execute-api.us-east-1.vpce.amazonaws.com", "unknown", f"an API on API Gateway, {ACCOUNT}"),
    ("a1.appsync-api.us-east-1.amazonaws.com", "unknown", f"an API on AppSync, {ACCOUNT}"),
    ("a1.awsglobalaccelerator.com", "unknown", f"a host on AWS, {ACCOUNT}"),
    ("a1.us-east-1.cs.amazonlightsail.com", "unknown", f"a host on AWS, {ACCOUNT}"),
    ("a1.dsql.us-east-1.on.aws", "unknown", f"a host on AWS, {ACCOUNT}"),
    # Hosts on other clouds that a customer owns.
    ("shop-a1.run.app", "unknown", f"a host on a shared platform, {ACCOUNT}"),
    ("shop.database.windows.net", "unknown", f"a server that Azure runs for a customer, {ACCOUNT}"),
    ("shop.redis.cache.windows.net:6380", "unknown", f"a server that Azure runs for a customer, {ACCOUNT}"),
    ("shop.privatelink.blob.core.windows.net", "unknown", f"a service behind a private endpoint, {ACCOUNT}"),
    # Services of AWS, and partners.
    ("dynamodb.us-east-1.amazonaws.com", "theirs", "a service of AWS"),
    ("bucket.s3.eu-west-1.amazonaws.com", "theirs", "a service of AWS"),
    ("vpce-0a.s3.us-east-1.vpce.amazonaws.com", "theirs", "a service of AWS"),
    ("api.stripe.com", "theirs", "a public name"),
    ("API.STRIPE.COM:443", "theirs", "a public name"),
    ("https://user@hooks.slack.com/services", "theirs", "a public name"),
    ("a1.auth.us-east-1.amazoncognito.com", "theirs", "a service of AWS"),
    ("api.partner.co.uk", "theirs", "a public name"),
    ("partner.example", "theirs", "a public name"),
    ("xn--bcher-kva.example.com", "theirs", "a public name"),
    ("openai", "theirs", "a provider of models"),
    ("github", "theirs", "a provider of models"),
]


@pytest.mark.parametrize(("host", "owner", "evidence"), HOSTS, ids=[host for host, _, _ in HOSTS])
def test_the_owner_of_a_host_has_evidence(host: str, owner: str, evidence: str) -> None:
    """Without spans of its own a private name is of nobody: it may be ours, or a proxy to anything."""
    assert SEEN.ownership(Component("external", host)) == (owner, evidence)
    assert SEEN.owned(Component("external", host)).owner == owner


def test_a_pattern_of_the_user_decides() -> None:
    """`theirs` before `ours`, and both before any evidence; the evidence is the option."""
    owners = SEEN._replace(ours=("10.*", "api.stripe.com"), theirs=("reviews*", "orders db*"))
    assert owners.ownership(Component("external", "10.0.3.5")) == ("ours", "matched by --ours '10.*'")
    assert owners.ownership(Component("external", "api.stripe.com")) == ("ours", "matched by --ours 'api.stripe.com'")
    assert owners.ownership(Component("external", "reviews.internal")) == ("theirs", "matched by --theirs 'reviews*'")
    assert owners.ownership(Component("own code", "reviews")).owner == "ours"


def test_a_database_is_external_unless_it_is_named_by_a_private_host() -> None:
    """Names of databases are no hosts, even with dots."""
    assert SEEN.owned(Component("database", "postgresql orders")).owner == "theirs"
    assert SEEN.owned(Component("database", "postgresql orders.v1")).owner == "theirs"
    assert SEEN.owned(Component("database", "postgresql test")).owner == "theirs"
    for host in ("10.0.0.5", "localhost", "::1", "[fd12::7]", "/run/mysql.sock"):
        assert SEEN.owned(Component("database", f"mysql {host}")).owner == "unknown"
    assert SEEN.owned(Component("messaging", "kafka broker.shop.svc.cluster.local")).owner == "unknown"


def test_the_options_that_settle_an_owner_do_so() -> None:
    """Typed as they are proposed, also for a name that a shell or a pattern would read in another way."""
    for name in ("10.0.3.5", "Ratings Service", "[::1]"):
        part = Component("external", name)
        ours_option, theirs_option = SEEN.settling(part).split(" or ")
        pattern = ours_option.removeprefix("--ours ").strip("'")
        assert theirs_option.removeprefix("--theirs ").strip("'") == pattern
        assert SEEN._replace(ours=(pattern,)).owned(part).owner == "ours"
        assert SEEN._replace(theirs=(pattern,)).owned(part).owner == "theirs"
    assert SEEN.settling(Component("external", "api.stripe.com")) == ""
    assert SEEN.settling(Component("unknown", "callee")) == ""


def _shop(host: str) -> list[Breakdown]:
    """The drawn requests, whose payments are at another host."""

    def named(cell: Edge) -> Edge:
        return Edge(cell.caller, Component("external", host)) if cell.component.category == "external" else cell

    return [a._replace(edges=tuple((named(cell), ns) for cell, ns in a.edges)) for a in drawn("owner", 400)]


def test_the_sentence_names_the_evidence_of_an_unknown_owner_and_a_step_settles_it() -> None:
    """In text and JSON; a callee with a known owner needs neither."""
    accounts = Breakdowns(_shop("reviews.internal"))
    owners = Owners().settle(accounts)
    report = report_of(accounts, lambda _: {}, owners=owners)
    text = " ".join(render_report(report, Style(unicode=False, thin=False)).split())
    assert (
        "The owner of the cause is unknown. reviews.internal is a name of a private network, and records no spans here."
        in text
    )
    assert "Next: Say whose reviews.internal is: --ours reviews.internal or --theirs reviews.internal." in text
    values = document(report, command="", version="")
    owner = {
        "owner": "unknown",
        "owner_evidence": "a name of a private network",
        "owner_options": "--ours reviews.internal or --theirs reviews.internal",
    }
    group = values["classes"][0]  # type: ignore[index]
    assert {key: group[key] for key in owner} == {key: values["verdict"][key] for key in owner} == owner  # type: ignore[index]


def test_a_public_name_needs_no_option() -> None:
    """Its owner is not this team, and the sentence says so."""
    accounts = Breakdowns(_shop("api.stripe.com"))
    report = report_of(accounts, lambda _: {}, owners=Owners().settle(accounts))
    text = " ".join(render_report(report, Style(unicode=False, thin=False)).split())
    assert "The cause is external." in text
    assert "--ours" not in text


def test_a_name_of_nothing_is_unknown() -> None:
    """An empty name, and one with a dot that is no domain."""
    assert owner_by_name("") == ("unknown", "a name without a domain")
    assert owner_by_name("orders.v1") == ("unknown", "no public name")


@pytest.mark.parametrize(
    ("name", "common"),
    [
        ("es-0", "es-*"),
        ("es0", "es*"),
        ("elasticsearch es-12", "elasticsearch es-*"),
        ("es-2.es.prod.svc.cluster.local", "es-*.es.prod.svc.cluster.local"),
        ("cart-7d9f8b6c5-x2x4z", "cart-*"),
        ("cart-a1b2c3d4", "cart-*"),
        ("payments-v2", ""),
        ("v2.example.com", ""),
        ("s3", ""),
        ("10.0.3.7", ""),
        ("ip-10-0-3-7.ec2.internal", ""),
        ("payments.example.com", ""),
        ("cart-accessed", ""),
    ],
)
def test_the_name_of_a_replica_ends_with_a_number_or_a_hash(name: str, common: str) -> None:
    """In the first label of a host; a version, an address and a short name are none."""
    assert common_name(name) == common


def _search(number: int, *hosts: str, ms: int = 10, service: str = "web") -> Breakdown:
    calls = [
        node(
            "search",
            begin,
            begin + ms,
            kind=SpanKind.CLIENT,
            attributes={"db.system": "elasticsearch", "server.address": host},
        )
        for begin, host in enumerate(hosts)
    ]
    root = node("GET /find", 0, 100, *calls, kind=SpanKind.SERVER, resource={"service.name": service})
    return breakdown_of(tree(root, unit=MS, trace_id=f"{number + 1:032x}"))


def test_replicas_are_one_component() -> None:
    """Their times in a request are added up, and their calls counted together; the spans have the same names."""
    requests = Breakdowns([_search(0, "es-0", "es-1", "es-2"), _search(1, "es-1", "es-7"), _search(2, "other")])
    totals_ns = [sum(ns for _, ns in breakdown.edges) for breakdown in requests]
    owners = Owners().settle(requests)
    merged = Component("database", "elasticsearch es-*", "unknown")
    assert [sum(ns for _, ns in breakdown.edges) for breakdown in requests] == totals_ns
    times_ns = [dict(breakdown.components).get(merged._replace(whose="")) for breakdown in requests]
    assert times_ns == [12 * MS, 11 * MS, None]
    assert [dict(breakdown.calls)[merged._replace(whose="")].calls for breakdown in list(requests)[:2]] == [3, 2]
    assert owners.owned(Component("database", "elasticsearch es-9")).name == "elasticsearch es-*"
    assert Owners().owned(Component("database", "elasticsearch es-9")).name == "elasticsearch es-9"


def test_databases_of_different_services_are_no_replicas() -> None:
    """Each service calls its own."""
    requests = Breakdowns([_search(0, "db-1", service="web"), _search(1, "db-2", service="mail")])
    assert Owners().settle(requests).replicas == frozenset()


def test_a_replica_that_is_slower_than_the_others_keeps_its_name() -> None:
    """It is the cause, and not what they have in common."""
    requests = Breakdowns([_search(0, "es-0", "es-1"), _search(1, "es-2", ms=80)])
    Owners().settle(requests)
    assert {component.name for component in requests.components if component.category == "database"} == {
        "elasticsearch es-0", "elasticsearch es-1", "elasticsearch es-2"
    }  # fmt: skip
