"""The owner that the name of a callee tells by itself: addresses of private networks, of AWS, and of shared hosting.

A public name is external. A private one is not: it may be a service of one's own, which records no spans, or a proxy.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ground(NamedTuple):
    """An owner (`ours`, `theirs`, `platform`, `unknown`) and the evidence for it: what follows the callee and "is"."""

    owner: str
    evidence: str


PORT = re.compile(r"(?P<name>\[[^]]+\]|[^:]+):\d+\Z")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/@]*@)?(?P<host>[^/?#]*)", re.IGNORECASE)
TARGET = re.compile(r"\A(?:dns|xds|passthrough|ipv4|ipv6):(?://[^/]*/)?(?!\d+\Z|/)")  # of gRPC; `dns:53` is a host
SOCKET = re.compile(r"/|unix:", re.IGNORECASE)
PUBLIC = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+)")
METHOD = re.compile(r"(?:[\w$]+\.)+[A-Z]\w*[a-z]\w*")  # `hipstershop.CartService`: of gRPC, or a class

SELF = "the machine itself: a process beside the code, such as a proxy or an extension"
# Networks whose addresses mean another machine, or this one, in each network.
NETWORKS = tuple(
    (ip_network(network), what)
    for network, what in (
        ("127.0.0.0/8", SELF),
        ("::1/128", SELF),
        ("0.0.0.0/32", SELF),
        ("::/128", SELF),
        ("10.0.0.0/8", "a private address"),
        ("172.16.0.0/12", "a private address"),
        ("192.168.0.0/16", "a private address"),
        ("100.64.0.0/10", "a private address (shared address space)"),
        ("169.254.0.0/16", "a link-local address"),
        ("198.18.0.0/15", "a private address (for tests of networks)"),
        ("240.0.0.0/4", "a reserved address, as meshes give to services"),
        ("fc00::/7", "a private address (unique local)"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address (site-local)"),
        ("224.0.0.0/4", "a multicast address"),
        ("ff00::/8", "a multicast address"),
    )
)
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
# Hosts on AWS that a customer owns: this account, or another one.
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
    (OF_AWS, Ground("theirs", "a service of AWS")),
    (MODELS, Ground("theirs", "a provider of models")),
    (METHOD, Ground("unknown", "the name of an interface, and no host")),
    (PAIR, Ground("unknown", "a name of two words, as a service and its namespace have")),
    (PUBLIC, Ground("theirs", "a public name")),
)


def told_by_name(callee: str) -> Ground:
    """The owner of a callee without spans by its host name, address, or other name."""
    if SOCKET.match(callee):
        return Ground("unknown", SELF)
    host = bare_host(callee)
    if host in METADATA:
        return Ground("platform", "an address of the platform on each machine (metadata, credentials)")
    address = _address(host)
    return _of_address(address) if address is not None else _of_name(host, callee)


def _of_address(address: IPv4Address | IPv6Address) -> Ground:
    private = next((what for network, what in NETWORKS if address in network), "")
    return Ground("unknown", private) if private else Ground("theirs", "a public address")


def _of_name(host: str, callee: str) -> Ground:
    plain = host.removesuffix(".cn")
    customers = (Ground("unknown", what) for pattern, what in CUSTOMERS if re.fullmatch(pattern, plain))
    inside = (Ground("unknown", what) for ends, what in PRIVATE if _ends_with(host, ends))
    cluster = (Ground("unknown", IN_CLUSTER) for _ in CLUSTER.finditer(host))
    others = (ground for pattern, ground in NAMES if pattern.fullmatch(callee if pattern is METHOD else plain))
    nothing = Ground("unknown", "no public name" if "." in host else "a name without a domain")
    return next(chain(customers, inside, cluster, others), nothing)


def _ends_with(host: str, ends: Iterable[str]) -> bool:
    return any(f".{host}".endswith(f".{end}") for end in ends)


def is_private(callee: str) -> bool:
    """Whether only a private network resolves the name: services of one's own may have it."""
    host = bare_host(callee)
    if _address(host) is not None:
        return False
    return "." not in host or _is_inside(host) or PAIR.fullmatch(host) is not None


def is_located(callee: str) -> bool:
    """Whether the name is an address, or a host of a kind that is recognized, and not just any name."""
    host = bare_host(callee)
    if host == "localhost" or SOCKET.match(callee) or _address(host) is not None:
        return True
    plain = host.removesuffix(".cn")
    return "." in host and (_is_inside(host) or any(re.fullmatch(pattern, plain) for pattern, _ in CUSTOMERS))


def _is_inside(host: str) -> bool:
    return any(_ends_with(host, ends) for ends, _ in PRIVATE) or CLUSTER.fullmatch(host) is not None


def bare_host(callee: str) -> str:
    """The host of a callee in lower case, without scheme, user, port, brackets and the final dot."""
    callee = TARGET.sub("", callee.strip(), count=1)
    found = SCHEME.match(callee)
    host = (found["host"] if found is not None else callee).strip()
    host = host.rpartition("|")[2] or host  # a cluster of Envoy: `outbound|8080||cart.prod.svc.cluster.local`
    port = PORT.fullmatch(host)
    host = port["name"] if port is not None else host
    return host.strip("[]").rstrip(".").lower()


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found in NAT64:
            return IPv4Address(int(found) & 0xFFFFFFFF)
        return found.ipv4_mapped or found
    return found
