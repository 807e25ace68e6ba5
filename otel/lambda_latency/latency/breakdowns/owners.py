"""Owners of services and callees: patterns of the user override what spans say, and names tell what is left.

A public name is external. A private one is not: it may be a service of one's own, which records no spans, or a proxy.
"""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import chain
from statistics import median_low
from typing import NamedTuple, TypeAlias

from lambda_latency.latency.breakdowns.columns import NO_CALL, Breakdowns
from lambda_latency.latency.breakdowns.component import CATEGORIES, Component, Edge
from lambda_latency.trace import DEFAULT_VIEW, View


class Ownership(NamedTuple):
    """An owner (`ours`, `theirs`, `platform`, `unknown`) and the evidence for it: what follows the callee and "is"."""

    owner: str
    evidence: str


PORT = re.compile(r"(?P<name>\[[^]]+\]|[^:]+):\d+\Z")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/@]*@)?(?P<host>[^/?#]*)", re.IGNORECASE)
TARGET = re.compile(r"\A(?:dns|xds|passthrough|ipv4|ipv6):(?://[^/]*/)?(?!\d+\Z|/)")  # of gRPC; `dns:53` is a host
SOCKET = re.compile(r"/|unix:", re.IGNORECASE)
PUBLIC = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+)")
METHOD = re.compile(r"(?:[\w$]+\.)+[A-Z]\w*[a-z]\w*")  # `hipstershop.CartService`: of gRPC, or a cause group

SELF = "the machine itself: a process beside the code, such as a proxy or an extension"
# Networks whose addresses mean another machine, or this one, in each network.
NETWORKS = {
    SELF: ("127.0.0.0/8", "::1/128", "0.0.0.0/32", "::/128"),
    "a private address": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    "a private address (shared address space)": ("100.64.0.0/10",),
    "a link-local address": ("169.254.0.0/16", "fe80::/10"),
    "a private address (for tests of networks)": ("198.18.0.0/15",),
    "a reserved address, as meshes give to services": ("240.0.0.0/4",),
    "a private address (unique local)": ("fc00::/7",),
    "a private address (site-local)": ("fec0::/10",),
    "a multicast address": ("224.0.0.0/4", "ff00::/8"),
}
OF_NETWORK = {ip_network(network): evidence for evidence, networks in NETWORKS.items() for network in networks}
NAT64 = ip_network("64:ff9b::/96")  # the last 32 bits are an IPv4 address
# Endpoints of a cloud's own agents on each machine: of AWS, also of X-Ray in Lambda, of Google, Azure and Alibaba.
METADATA = frozenset(
    (
        "169.254.169.254",
        "fd00:ec2::254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "169.254.169.253",
        "169.254.169.123",
        "169.254.79.129",
        "169.254.100.1",
        "metadata.google.internal",
        "metadata.goog",
        "168.63.129.16",
        "100.100.100.200",
    )
)
IN_CLUSTER = "a name inside a Kubernetes cluster"
# Ends of names that only a private network resolves, and what such a name is.
PRIVATE = (
    (("svc.cluster.local", "cluster.local", "svc"), IN_CLUSTER),
    (("compute.internal", "ec2.internal"), "a machine of a private network on AWS"),
    (("localhost", "localhost.localstack.cloud", "sandbox.localdomain"), SELF),
    (
        ("internal", "local", "localdomain", "lan", "home", "home.arpa", "corp", "intranet", "private", "consul"),
        "a name of a private network",
    ),
    (("mesh", "docker", "host", "onion", "test", "vm", "priv", "intra", "lcl", "infra"), "a name of a private network"),
    # Namespaces, and domains of orchestrators.
    (("default", "prod", "production", "staging", "stage", "qa", "uat"), "a name of a private network"),
    (("k8s", "cluster", "nomad", "mesos", "swarm"), "a name of a private network"),
)
CLUSTER = re.compile(r"[^.]+\.[^.]+\.svc\..+")  # of a cluster with a domain of its own
# Public domains that two labels may be: `example.com`. Other pairs may be a service and its namespace: `cart.shop`.
DOMAINS = ("com", "net", "org", "edu", "gov", "info", "biz", "dev", "app", "cloud", "example", "xyz", "tech", "pro")
PAIR = re.compile(rf"[^.]+\.(?!(?:{'|'.join(DOMAINS)})\Z|xn--)[^.]{{3,}}")
# Providers of models as attributes of GenAI name them, and the beginnings of the names of their models.
MODELS = re.compile(
    r"(openai|anthropic|(az|azure)\.(ai\.)?.*|azure_openai|aws[._]bedrock|amazon_bedrock|gcp\..*|vertex_?ai|gemini|google_.*|"
    r"cohere|mistral_?ai|moonshot_ai|deepseek|groq|perplexity|x_?ai|ibm\.watsonx\.ai|together_?ai|fireworks|replicate|"
    r"github|github_(copilot|models)|openrouter|hugging_?face|"
    r"(gpt|claude|gemini|text-embedding|chatgpt|command-r|voyage|o[134])(-.*)?)"
)
ACCOUNT = "whose account the name does not tell"
SERVERS = "rds|cache|docdb|neptune|redshift|redshift-serverless|es|aoss|memorydb|kafka|mq|dax-clusters"
SHARED = (
    r"run\.app|cloudfunctions\.net|appspot\.com|azurewebsites\.net|azure-api\.net|azurecontainerapps\.io|herokuapp\.com|"
    r"fly\.dev|onrender\.com|railway\.app|vercel\.app|netlify\.app|workers\.dev|ngrok\.io|ngrok-free\.app"
)
# Hosts on AWS that a customer owns: this breakdown, or another one.
CUSTOMERS = (
    (r"internal-.*\.elb(\..*)?\.amazonaws\.com", "an internal load balancer, which only its own network reaches"),
    (r".*\.elb(\..*)?\.amazonaws\.com", f"a load balancer on AWS, {ACCOUNT}"),
    (r".*\.execute-api\..*", f"an API on API Gateway, {ACCOUNT}"),
    (r".*\.lambda-url\..*\.on\.aws", f"the URL of a Lambda function, {ACCOUNT}"),
    (r".*\.appsync-(realtime-)?api\..*", f"an API on AppSync, {ACCOUNT}"),
    (r".*\.vpc-lattice-svcs\..*\.on\.aws", f"a service in VPC Lattice, {ACCOUNT}"),
    (r"vpce-svc-.*|.*\.vpce-svc-[^.]*\..*", f"a service behind PrivateLink, {ACCOUNT}"),
    (r".*\.compute(-1)?(\..*)?\.amazonaws\.com", f"a machine on EC2, {ACCOUNT}"),
    (
        rf".*\.({SERVERS})(-[^.]*)?(\..*)?\.amazonaws\.com",
        f"a server that AWS runs for a customer, {ACCOUNT}",
    ),
    (
        r".*\.(cloudfront\.net|awsapprunner\.com|elasticbeanstalk\.com|amplifyapp\.com|on\.aws)",
        f"a host on AWS, {ACCOUNT}",
    ),
    (
        r".*\.(awsglobalaccelerator\.com|amazonlightsail\.com)",
        f"a host on AWS, {ACCOUNT}",
    ),
    (
        rf".*\.({SHARED})",
        f"a host on a shared platform, {ACCOUNT}",
    ),
    (r".*\.privatelink\..*", f"a service behind a private endpoint, {ACCOUNT}"),
    (
        r".*\.(database\.windows\.net|cache\.windows\.net|redis\.azure\.net|documents\.azure\.com|database\.azure\.com)",
        f"a server that Azure runs for a customer, {ACCOUNT}",
    ),
)
OF_AWS = re.compile(r"(.*\.)?(amazonaws\.com|api\.aws|aws\.amazon\.com|awsstatic\.com|amazoncognito\.com)")


NAMES = (
    (OF_AWS, Ownership("theirs", "a service of AWS")),
    (MODELS, Ownership("theirs", "a provider of models")),
    (METHOD, Ownership("unknown", "the name of an interface, and no host")),
    (PAIR, Ownership("unknown", "a name of two words, as a service and its namespace have")),
    (PUBLIC, Ownership("theirs", "a public name")),
)


def owner_by_name(callee: str) -> Ownership:
    """Return the owner of a callee without spans by its host name, address, or other name."""
    if SOCKET.match(callee):
        return Ownership("unknown", SELF)
    host = bare_host(callee)
    if host in METADATA:
        return Ownership("platform", "an address of the platform on each machine (metadata, credentials)")
    address = _address(host)
    return _of_address(address) if address is not None else _of_name(host, callee)


def _of_address(address: IPv4Address | IPv6Address) -> Ownership:
    private = next((evidence for network, evidence in OF_NETWORK.items() if address in network), "")
    return Ownership("unknown", private) if private else Ownership("theirs", "a public address")


def _of_name(host: str, callee: str) -> Ownership:
    plain = host.removesuffix(".cn")
    customers = (Ownership("unknown", evidence) for pattern, evidence in CUSTOMERS if re.fullmatch(pattern, plain))
    inside = (Ownership("unknown", evidence) for ends, evidence in PRIVATE if _ends_with(host, ends))
    cluster = (Ownership("unknown", IN_CLUSTER) for _ in CLUSTER.finditer(host))
    patterns = (evidence for pattern, evidence in NAMES if pattern.fullmatch(callee if pattern is METHOD else plain))
    nothing = Ownership("unknown", "no public name" if "." in host else "a name without a domain")
    return next(chain(customers, inside, cluster, patterns), nothing)


def _ends_with(host: str, ends: Iterable[str]) -> bool:
    return any(f".{host}".endswith(f".{end}") for end in ends)


def is_private(callee: str) -> bool:
    """Return whether only a private network resolves the name: services of one's own may have it."""
    host = bare_host(callee)
    if _address(host) is not None:
        return False
    return "." not in host or _is_inside(host) or PAIR.fullmatch(host) is not None


def is_located(callee: str) -> bool:
    """Return whether the name is an address, or a host of a kind that is recognized, and not just any name."""
    host = bare_host(callee)
    if host == "localhost" or SOCKET.match(callee) or _address(host) is not None:
        return True
    plain = host.removesuffix(".cn")
    return "." in host and (_is_inside(host) or any(re.fullmatch(pattern, plain) for pattern, _ in CUSTOMERS))


def _is_inside(host: str) -> bool:
    return any(_ends_with(host, ends) for ends, _ in PRIVATE) or CLUSTER.fullmatch(host) is not None


def bare_host(callee: str) -> str:
    """Return the host of a callee in lower case, without scheme, user, port, brackets and the final dot."""
    callee = TARGET.sub("", callee.strip(), count=1)
    url = SCHEME.match(callee)
    host = (url["host"] if url is not None else callee).strip()
    # A cluster of Envoy: `outbound|8080||cart.prod.svc.cluster.local`
    host = host.rpartition("|")[2] or host
    port = PORT.fullmatch(host)
    host = port["name"] if port is not None else host
    return host.strip("[]").rstrip(".").lower()


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address
    return address


NAMED = ("aws", "database", "external", "messaging", "network")  # categories whose names are those of callees
LOCATED = ("external", "database", "messaging")  # categories whose names may be hosts
MANAGED = ("aws", "database", "messaging")  # of which the component has an owner only if the user says so
# Buckets whose names are those of services that recorded spans
SERVICES = ("cold start", "network", "own code")

# A number or a hash at the end of the first label of a host: `es-0`, `cart-7d9f8b6c5-x2x4z`. `v2` is a version.
REPLICA = re.compile(
    r"(?P<kind>[a-z][a-z0-9-]*?[a-z]-?)(?<!-v)(\d{1,4}|(?<=-)(?=[a-f]*\d)[0-9a-f]{8,10}(-[a-z0-9]{5})?)", re.IGNORECASE
)
SICK_TIMES = 2  # a replica whose calls take so many times as long as those of the others is a component of its own

# The evidence for the owner of a category.
EVIDENCE = {
    "cold start": "the start of a function that records spans in these traces",
    "own code": "code that records spans in these traces",
    "connect": "a connection that this code opens",
    "retries": "attempts of this code's own client",
    "step": "a step of a durable execution in these traces",
    "replay": "code that an invocation of a durable execution runs over again",
    "wait": "a wait by design of a durable execution",
    "telemetry": "the export of this code's own spans",
    "aws": "a service of AWS",
    "external": "a call that leaves these traces",
    "database": "a database, which records no spans",
    "messaging": "a broker, which records no spans",
    "pool": "a pool of this code's own client",
    "network": "the way to a service that records spans in these traces",
    "step functions": "a state machine that records segments in these traces",
    "queue": "a queue between services of these traces",
    "api gateway": "a part of AWS's platform",
    "lambda": "a part of AWS's platform",
    "laptop": "a part of the machine that stands for AWS, as its spans say",
    "unknown": "no span names what ran there",
}


class Owners(NamedTuple):
    """Patterns (`*`, `?`, `[abc]`, case-insensitive) of services, hosts and components that are `ours` or `theirs`.

    `services` are the services that recorded spans anywhere in the input: a call to one is ours, even without spans of
    its own. `replicas` are the common names (`es-*`) of callees without spans that are one component.
    """

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    services: frozenset[str] = frozenset()
    replicas: frozenset[str] = frozenset()

    def whose(self, name: str) -> str:
        """`ours`, `theirs`, or an empty string if no pattern matches; `theirs` is tried first."""
        return self._matched(name)[0]

    def owned(self, component: Component) -> Component:
        """Return the part with its owner: by the user's patterns, else the services seen, else its name or bucket."""
        if component.category not in NAMED:
            return component
        if component.category in LOCATED and common_name(component.name) in self.replicas:
            component = component._replace(name=common_name(component.name))
        if component.category in LOCATED or self.ours or self.theirs:
            owned = component._replace(whose=self.ownership(component).owner)
            is_told = component.category in MANAGED and self.whose(component.name)
            return owned if is_told else owned.plain()
        return component if not component.whose else component._replace(whose="")

    def ownership(self, component: Component) -> Ownership:
        """Return the owner of a part and the evidence. The name may be in quotes, as in a report for assistants."""
        component = component._replace(name=component.name.strip('"'))
        whose, pattern = self._matched(component.name) if component.category in NAMED else ("", "")
        if whose:
            return Ownership(whose, f"matched by --{whose} '{pattern}'")
        if component.category in LOCATED and component.name:
            return self._located(component)
        return Ownership(CATEGORIES[component.category], EVIDENCE[component.category])

    def settling(self, component: Component) -> str:
        """Return the options that settle an unknown owner, ready to type; nothing if it is known or has no name."""
        if component.category not in LOCATED or not component.name or self.ownership(component).owner != "unknown":
            return ""
        pattern = shlex.quote(component.name.replace("[", "[[]"))
        return f"--ours {pattern} or --theirs {pattern}"

    def _located(self, component: Component) -> Ownership:
        """Return the owner of a callee that a host or a name tells: the last word of the name of a database."""
        callee = component.name if component.category == "external" else component.name.rpartition(" ")[2]
        callee = callee.replace("*", "0")  # as the name of a replica
        service = self._seen_as(callee)
        if service and component.category == "external":
            return Ownership("ours", f"the service {service}, which records spans in these traces")
        evidence = owner_by_name(callee)
        if component.category == "external" or (evidence.owner == "unknown" and is_located(callee)):
            return evidence
        return Ownership(CATEGORIES[component.category], EVIDENCE[component.category])

    def _seen_as(self, callee: str) -> str:
        """Return the service seen that a callee names: by its whole name, or a private host by its first label.

        `reviews.internal` and `reviews.prod.svc.cluster.local` are the service `reviews`; `reviews.example.com` is not.
        """
        if callee in self.services:
            return callee
        host = bare_host(callee)
        names = {host}
        if is_private(callee):
            names.add(host.partition(".")[0])
        return next((service for service in sorted(self.services) if service.lower() in names), "")

    def _matched(self, name: str) -> tuple[str, str]:
        for owner, patterns in (("theirs", self.theirs), ("ours", self.ours)):
            for pattern in patterns:
                if fnmatchcase(name.lower(), pattern.lower()):
                    return owner, pattern
        return "", ""

    def settle(self, *all_breakdowns: Breakdowns) -> Owners:
        """Return the owners with the services seen in these breakdowns, and set the owners of the breakdowns' parts."""
        components = {
            component.name
            for breakdowns in all_breakdowns
            for component in breakdowns.components
            if component.category in SERVICES
        }
        functions = {kind.function for breakdowns in all_breakdowns for kind in breakdowns.kinds}
        replicas = self.replicas | _replicas(all_breakdowns)
        settled = self._replace(services=(self.services | components | functions) - {""}, replicas=replicas)

        def owned(edge: Edge) -> Edge:
            return edge._replace(component=settled.owned(edge.component))

        for breakdowns in all_breakdowns:
            if replicas:
                breakdowns.merge(owned)
            else:
                breakdowns.rename(owned)
        return settled


def common_name(callee: str) -> str:
    """Return `es-*` for the name `es-0` of a replica; empty for other names, and for addresses."""
    system, space, host = callee.rpartition(" ")
    label, dot, domain = host.partition(".")
    name = REPLICA.fullmatch(label)
    return f"{system}{space}{name['kind']}*{dot}{domain}" if name is not None else ""


def _replicas(all_breakdowns: Iterable[Breakdowns]) -> frozenset[str]:
    """Return the common names of callees of a kind, several of which one service calls, and none of which is slower."""
    times_ns: _TimesByKind = defaultdict(lambda: defaultdict(list))
    for breakdowns in all_breakdowns:
        _add_times(times_ns, breakdowns)
    alike, unlike = set[str](), set[str]()
    for kind, by_name in times_ns.items():
        means = [sum(times) / len(times) for times in by_name.values()]
        if len(means) > 1:
            is_alike = max(means) <= SICK_TIMES * median_low(means)
            (alike if is_alike else unlike).add(kind.component.name)
    return frozenset(alike - unlike)


# The durations of calls, by the name of the callee; by the edge with the common name of the callees
_TimesByKind: TypeAlias = "defaultdict[Edge, defaultdict[str, list[int]]]"


def _add_times(times_ns: _TimesByKind, breakdowns: Breakdowns) -> None:
    kinds: dict[int, tuple[Edge, str]] = {}
    for (edge, _), number in breakdowns.calls.items():
        name = edge.component.name
        if edge.component.category in LOCATED and common_name(name):
            kinds[number] = Edge(edge.caller, edge.component._replace(name=common_name(name))), name
    for number, ns in zip(breakdowns.call_of, breakdowns.call_ns, strict=True) if kinds else ():
        if number in kinds and ns != NO_CALL:
            kind, name = kinds[number]
            times_ns[kind][name].append(ns)


class AnalysisOptions(NamedTuple):
    """The user's options for judging: the view of traces, and the owners of services.

    `outlines`: whether breakdowns have outlines, a seventh of the work. Only comparisons and briefs read them.
    """

    view: View = DEFAULT_VIEW
    owners: Owners = Owners()
    outlines: bool = True


NOBODY = Owners()
DEFAULT_OPTIONS = AnalysisOptions()
