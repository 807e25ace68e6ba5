"""Owners of callees: what the name of a host, the services of the traces and the user's patterns tell."""

from __future__ import annotations

import pytest

from lambda_latency.latency import Account, Accounts, Cell, Owners, Part, report_of, told_by_name
from lambda_latency.text import Style, document, render_report
from tests.latency.requests import drawn

SEEN = Owners(seen=frozenset({"reviews", "cart", "Payments"}))
SELF = "the machine itself: a process beside the code, such as a proxy or an extension"
PLATFORM = "an address of the platform on each machine (metadata, credentials)"
CLUSTER = "a name inside a Kubernetes cluster"
PRIVATE = "a name of a private network"
PAIR = "a name of two words, as a service and its namespace have"
ACCOUNT = "whose account the name does not tell"

HOSTS = [
    # This machine.
    ("127.0.0.1", "unknown", SELF),
    ("127.0.0.1:3500", "unknown", SELF),
    ("localhost", "unknown", SELF),
    ("localhost:2773", "unknown", SELF),
    ("::1", "unknown", SELF),
    ("[::1]:15001", "unknown", SELF),
    ("0.0.0.0", "unknown", SELF),
    ("unix:///var/run/app.sock", "unknown", SELF),
    ("/var/run/mysqld/mysqld.sock", "unknown", SELF),
    ("sandbox.localdomain:8080", "unknown", SELF),
    ("localhost.localstack.cloud:4566", "unknown", SELF),
    ("x1.lambda-url.eu-west-1.localhost.localstack.cloud", "unknown", SELF),
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
    ("fd12:3456::7", "unknown", "a private address (unique local)"),
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
    ("169.254.170.2", "platform", PLATFORM),
    ("fd00:ec2::254", "platform", PLATFORM),
    ("metadata.google.internal", "platform", PLATFORM),
    ("168.63.129.16", "platform", PLATFORM),
    ("100.100.100.200", "platform", PLATFORM),
    ("169.254.79.129:2000", "platform", PLATFORM),
    # Public addresses.
    ("172.32.0.1", "theirs", "a public address"),
    ("203.0.113.7", "theirs", "a public address"),
    ("2606:4700::1", "theirs", "a public address"),
    # Names inside of clusters and networks.
    ("ratings.default.svc.cluster.local", "unknown", CLUSTER),
    ("ratings.default.svc", "unknown", CLUSTER),
    ("ratings.default.svc.k8s.example.com", "unknown", CLUSTER),
    ("outbound|8080||ratings.default.svc.cluster.local", "unknown", CLUSTER),
    ("dns:///ratings.default.svc.cluster.local:9090", "unknown", CLUSTER),
    ("ratings-0.ratings", "unknown", PAIR),
    ("ratings.bookinfo", "unknown", PAIR),
    ("xds:///ratings.bookinfo:8080", "unknown", PAIR),
    ("ratings.prod", "unknown", PRIVATE),
    ("ratings-0.ratings.default", "unknown", PRIVATE),
    ("ratings", "unknown", "a name without a domain"),
    ("Ratings Service", "unknown", "a name without a domain"),
    ("ratings.internal", "unknown", PRIVATE),
    ("ratings.local", "unknown", PRIVATE),
    ("billing.corp", "unknown", PRIVATE),
    ("proxy.acme.intra:3128", "unknown", PRIVATE),
    ("ratings.service.consul", "unknown", PRIVATE),
    ("ratings.nomad", "unknown", PRIVATE),
    ("ratings.prod.ecs.local", "unknown", PRIVATE),
    ("host.docker.internal", "unknown", PRIVATE),
    ("ip-10-0-3-5.eu-west-1.compute.internal", "unknown", "a machine of a private network on AWS"),
    ("hipstershop.CartService", "unknown", "the name of an interface, and no host"),
    # Services of the traces.
    ("reviews", "ours", "the service reviews, which records spans in these traces"),
    ("reviews.internal", "ours", "the service reviews, which records spans in these traces"),
    ("reviews.prod.svc.cluster.local", "ours", "the service reviews, which records spans in these traces"),
    ("cart.shop", "ours", "the service cart, which records spans in these traces"),
    ("payments.prod.svc", "ours", "the service Payments, which records spans in these traces"),
    (
        "outbound|9080||reviews.prod.svc.cluster.local",
        "ours",
        "the service reviews, which records spans in these traces",
    ),
    ("dns:///reviews.prod:9090", "ours", "the service reviews, which records spans in these traces"),
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
    ("a1b2.execute-api.cn-north-1.amazonaws.com.cn", "unknown", f"an API on API Gateway, {ACCOUNT}"),
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
    (
        "c1.a1.dax-clusters.us-east-1.amazonaws.com",
        "unknown",
        f"a server that AWS runs for a customer, {ACCOUNT}",
    ),
    # Hosts on other clouds that a customer owns.
    ("shop-a1.run.app", "unknown", f"a host on a shared platform, {ACCOUNT}"),
    ("shop.database.windows.net", "unknown", f"a server that Azure runs for a customer, {ACCOUNT}"),
    ("shop.redis.cache.windows.net:6380", "unknown", f"a server that Azure runs for a customer, {ACCOUNT}"),
    ("shop.documents.azure.com", "unknown", f"a server that Azure runs for a customer, {ACCOUNT}"),
    ("shop.privatelink.blob.core.windows.net", "unknown", f"a service behind a private endpoint, {ACCOUNT}"),
    # Services of AWS, and partners.
    ("dynamodb.us-east-1.amazonaws.com", "theirs", "a service of AWS"),
    ("bucket.s3.eu-west-1.amazonaws.com", "theirs", "a service of AWS"),
    ("vpce-0a.s3.us-east-1.vpce.amazonaws.com", "theirs", "a service of AWS"),
    ("api.stripe.com", "theirs", "a public name"),
    ("API.STRIPE.COM:443", "theirs", "a public name"),
    ("https://user@hooks.slack.com/services", "theirs", "a public name"),
    ("a1.auth.us-east-1.amazoncognito.com", "theirs", "a service of AWS"),
    ("sqs.us-east-1.api.aws", "theirs", "a service of AWS"),
    ("shop.blob.core.windows.net", "theirs", "a public name"),
    ("storage.googleapis.com", "theirs", "a public name"),
    ("login.microsoftonline.com", "theirs", "a public name"),
    ("c0.a1b2.mongodb.net", "theirs", "a public name"),
    ("e-1.eu-central-1.aws.neon.tech", "theirs", "a public name"),
    ("eu1-a-1.upstash.io", "theirs", "a public name"),
    ("aws.connect.psdb.cloud", "theirs", "a public name"),
    ("api.partner.co.uk", "theirs", "a public name"),
    ("partner.example", "theirs", "a public name"),
    ("partner.xyz", "theirs", "a public name"),
    ("xn--bcher-kva.example.com", "theirs", "a public name"),
    ("openai", "theirs", "a provider of models"),
    ("github", "theirs", "a provider of models"),
    ("github_copilot", "theirs", "a provider of models"),
    ("huggingface", "theirs", "a provider of models"),
]


@pytest.mark.parametrize(("host", "owner", "evidence"), HOSTS, ids=[host for host, _, _ in HOSTS])
def test_the_owner_of_a_host_has_evidence(host: str, owner: str, evidence: str) -> None:
    """Without spans of its own a private name is of nobody: it may be ours, or a proxy to anything."""
    assert SEEN.ground(Part("external", host)) == (owner, evidence)
    assert SEEN.of(Part("external", host)).owner == owner


def test_a_pattern_of_the_user_decides() -> None:
    """`theirs` before `ours`, and both before any evidence; the evidence is the option."""
    owners = SEEN._replace(ours=("10.*", "api.stripe.com"), theirs=("reviews*", "orders db*"))
    assert owners.ground(Part("external", "10.0.3.5")) == ("ours", "matched by --ours '10.*'")
    assert owners.ground(Part("external", "api.stripe.com")) == ("ours", "matched by --ours 'api.stripe.com'")
    assert owners.ground(Part("external", "reviews.internal")) == ("theirs", "matched by --theirs 'reviews*'")
    assert owners.ground(Part("own code", "reviews")).owner == "ours"


def test_a_database_is_external_unless_it_is_named_by_a_private_host() -> None:
    """Names of databases are no hosts, even with dots."""
    assert SEEN.of(Part("database", "postgresql orders")).owner == "theirs"
    assert SEEN.of(Part("database", "postgresql orders.v1")).owner == "theirs"
    assert SEEN.of(Part("database", "postgresql test")).owner == "theirs"
    for host in ("10.0.0.5", "localhost", "::1", "[fd12::7]", "/run/mysql.sock"):
        assert SEEN.of(Part("database", f"mysql {host}")).owner == "unknown"
    assert SEEN.of(Part("messaging", "kafka broker.shop.svc.cluster.local")).owner == "unknown"


def test_the_options_that_settle_an_owner_do_so() -> None:
    """Typed as they are proposed, also for a name that a shell or a pattern would read in another way."""
    for name in ("10.0.3.5", "Ratings Service", "[::1]"):
        part = Part("external", name)
        ours, theirs = SEEN.settling(part).split(" or ")
        pattern = ours.removeprefix("--ours ").strip("'")
        assert theirs.removeprefix("--theirs ").strip("'") == pattern
        assert SEEN._replace(ours=(pattern,)).of(part).owner == "ours"
        assert SEEN._replace(theirs=(pattern,)).of(part).owner == "theirs"
    assert SEEN.settling(Part("external", "api.stripe.com")) == ""
    assert SEEN.settling(Part("unknown", "callee")) == ""


def _shop(host: str) -> list[Account]:
    """The drawn requests, whose payments are at another host."""

    def named(cell: Cell) -> Cell:
        return Cell(cell.caller, Part("external", host)) if cell.part.bucket == "external" else cell

    return [one._replace(cells=tuple((named(cell), ns) for cell, ns in one.cells)) for one in drawn("owner", 400)]


def test_the_sentence_names_the_evidence_of_an_unknown_owner_and_a_step_settles_it() -> None:
    """In text and JSON; a callee with a known owner needs neither."""
    accounts = Accounts(_shop("reviews.internal"))
    owners = Owners().settle(accounts)
    report = report_of(accounts, lambda _: {}, owners=owners)
    text = " ".join(render_report(report, Style(unicode=False, thin=False)).split())
    assert (
        "The owner of the cause is unknown. reviews.internal is a name of a private network, and records no spans here."
        in text
    )
    assert "Next: Say whose reviews.internal is: --ours reviews.internal or --theirs reviews.internal." in text
    values = document(report, command="", version="")
    told = {
        "owner": "unknown",
        "owner_evidence": "a name of a private network",
        "owner_options": "--ours reviews.internal or --theirs reviews.internal",
    }
    first = values["classes"][0]  # type: ignore[index]
    assert {key: first[key] for key in told} == {key: values["verdict"][key] for key in told} == told  # type: ignore[index]


def test_a_public_name_needs_no_option() -> None:
    """Its owner is not this team, and the sentence says so."""
    accounts = Accounts(_shop("api.stripe.com"))
    report = report_of(accounts, lambda _: {}, owners=Owners().settle(accounts))
    text = " ".join(render_report(report, Style(unicode=False, thin=False)).split())
    assert "The cause is external." in text
    assert "--ours" not in text


def test_a_name_of_nothing_is_unknown() -> None:
    """An empty name, and one with a dot that is no domain."""
    assert told_by_name("") == ("unknown", "a name without a domain")
    assert told_by_name("orders.v1") == ("unknown", "no public name")
