"""Secrets and harmless values at random: names that other scanners know, values of a known shape, places, encodings.

None of these lists is shared with the runtime: a name or a shape that is only here is one that it has to infer.
"""

import base64
import json
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import quote

# The denylists of detect-secrets, the scrubbers of Sentry and Rollbar, Django, Rails, Laravel, Elastic APM and Logfire,
# and the keywords of gitleaks and TruffleHog.


def listed(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


NAMES = listed("""
    api_key apikey api-key authkey auth_key service-key account_key db_key databaseKey priv_key privateKey client_key
    db_pass database_pass keypass password passwd pwd secret contraseña contrasena mysql_pwd privatekey token auth
    credentials aiohttp_session connect.sid csrf csrf_token _csrf csrftoken PHPSESSID user_session XSRF-TOKEN sessionid
    x_csrftoken set-cookie authorization proxy-authorization x-api-key EMAIL_HOST_PASSWORD SECRET_KEY API_TOKEN
    HTTP_COOKIE access_token accessToken refreshToken id_token confirm_password passwordConfirmation authentication
    current_password new_password social_security ssn cvv cvc jwt otp pw passphrase algolia_api_key mailgun_token
    DD_APP_KEY pagerduty_token TWILIO_AUTH_TOKEN herokuApiKey shodan_key zendesk-token okta_token SNYK_TOKEN
    bitbucket_client_secret dropbox_api_secret FacebookAppSecret linkedin_secret mapbox_access_token lob_api_key
    newrelic_license_key plaid_secret PULUMI_ACCESS_TOKEN sumologic_access_key telegram_bot_token ftp_password
    ldap_bind_pw SMTP_PASS encryption_key signing_secret hmac_key masterKey webhook-secret ssh_passphrase
    X-Vault-Token X-Auth-Token X-Goog-Api-Key X-Shopify-Access-Token X-Figma-Token X-Gitlab-Token Private-Token
    Ocp-Apim-Subscription-Key X-Amz-Security-Token GITHUB_PAT STRIPE_SECRET aws_secret_access_key consumerSecret
    oauth_token_secret AZURE_STORAGE_ACCOUNT_KEY SharedAccessKey rootPassword userPass adminPwd keystorePassword
""")

ALNUM, HEX, BASE64 = (
    string.ascii_letters + string.digits,
    "0123456789abcdef",
    string.ascii_letters + string.digits + "+/",
)
UPPER, URLSAFE = string.ascii_uppercase + string.digits, string.ascii_letters + string.digits + "-_"


def some(rng: Random, alphabet: str, count: int) -> str:
    """So many characters, letters at both ends, and of letters and digits at least one each."""
    inner = "".join(rng.choices(alphabet, k=count - 2))
    letters = [char for char in alphabet if char.isalpha()]
    return rng.choice(letters) + inner + rng.choice(letters)


def jwt(rng: Random) -> str:
    """A signed one, or what is left of it without the signature's end."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": str(rng.getrandbits(64))}).encode()).decode().rstrip("=")
    return f"{head}.{body}.{some(rng, URLSAFE, 43)}"


def pem(rng: Random) -> str:
    """A private key in PEM's form."""
    kind = rng.choice(
        ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]
    )
    lines = "\n".join("".join(rng.choices(BASE64, k=64)) for _ in range(rng.randint(3, 12)))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


def card(rng: Random) -> str:
    """Of one of the large networks, right by Luhn's formula, with or without spaces."""
    prefix, length = rng.choice([("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("37", 15), ("6011", 16)])
    digits = prefix + "".join(rng.choices(string.digits, k=length - len(prefix) - 1))
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    digits += str(-total % 10)
    if length == 16 and rng.random() < 0.3:
        return rng.choice(" -").join(digits[index : index + 4] for index in range(0, 16, 4))
    return digits


SHAPES: dict[str, Callable[[Random], str]] = {
    "aws key id": lambda r: r.choice(["AKIA", "ASIA"]) + "".join(r.choices(UPPER, k=16)),
    "aws secret": lambda r: some(r, BASE64, 40),
    "aws session token": lambda r: "IQoJb3JpZ2luX2VjE" + some(r, BASE64, r.choice([200, 700, 1200])),
    "github": lambda r: r.choice(["ghp_", "gho_", "ghs_", "ghr_"]) + some(r, ALNUM, 36),
    "github fine-grained": lambda r: f"github_pat_{some(r, ALNUM, 22)}_{some(r, ALNUM, 59)}",
    "gitlab": lambda r: "glpat-" + some(r, URLSAFE, 20),
    "slack": lambda r: f"xoxb-{r.randrange(10**11, 10**12)}-{r.randrange(10**12, 10**13)}-{some(r, ALNUM, 24)}",
    "slack webhook": lambda r: f"https://hooks.slack.com/services/T{some(r, UPPER, 8)}/B1/{some(r, ALNUM, 24)}",
    "stripe": lambda r: r.choice(["sk_live_", "rk_live_", "sk_test_"]) + some(r, ALNUM, r.choice([24, 99])),
    "google": lambda r: "AIza" + some(r, URLSAFE, 35),
    "google oauth": lambda r: "ya29." + some(r, URLSAFE, 120),
    "sendgrid": lambda r: f"SG.{some(r, URLSAFE, 22)}.{some(r, URLSAFE, 43)}",
    "twilio": lambda r: "SK" + "".join(r.choices(HEX, k=32)),
    "npm": lambda r: "npm_" + some(r, ALNUM, 36),
    "pypi": lambda r: "pypi-AgEIcHlwaS5vcmc" + some(r, URLSAFE, 90),
    "openai": lambda r: "sk-proj-" + some(r, URLSAFE, 74),
    "anthropic": lambda r: "sk-ant-api03-" + some(r, URLSAFE, 93),
    "shopify": lambda r: "shpat_" + "".join(r.choices(HEX, k=32)),
    "vault": lambda r: "hvs." + some(r, URLSAFE, 92),
    "digitalocean": lambda r: "dop_v1_" + "".join(r.choices(HEX, k=64)),
    "databricks": lambda r: "dapi" + "".join(r.choices(HEX, k=32)),
    "hugging face": lambda r: "hf_" + "".join(r.choices(string.ascii_letters, k=34)),
    "mailgun": lambda r: "key-" + "".join(r.choices(HEX, k=32)),
    "new relic": lambda r: "NRAK-" + "".join(r.choices(UPPER, k=27)),
    "telegram": lambda r: f"{r.randrange(10**8, 10**9)}:AA{some(r, URLSAFE, 33)}",
    "grafana": lambda r: f"glsa_{some(r, ALNUM, 32)}_{''.join(r.choices(HEX, k=8))}",
    "unknown vendor": lambda r: f"zz{r.choice('abc')}_{some(r, ALNUM, 48)}",
    "jwt": jwt,
    "private key": pem,
    "card": card,
    "connection string": lambda r: f"postgresql://app:{some(r, ALNUM, 14)}@db.example.com:5432/orders",
    "azure": lambda r: f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={some(r, BASE64, 86)}==;",
    "ado": lambda r: f"Server=db;User Id=sa;Password={some(r, ALNUM, 12)};",
    "basic": lambda r: "Basic " + base64.b64encode(f"ada:{some(r, ALNUM, 9)}".encode()).decode(),
    "bearer": lambda r: "Bearer " + some(r, ALNUM, 30),
}  # fmt: skip

PLACES = ("attribute", "nested", "header", "url", "path", "message", "stack", "sql", "span name", "event", "link",
          "resource", "log")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Secret:
    """What must not leave (`value`), and where it is: a name that says so, if any, a place, a text with it in."""

    what: str
    value: str
    name: str
    place: str
    encoding: str

    @property
    def encoded(self) -> str:
        """The value as it is written."""
        return encode(self.value, self.encoding)

    @property
    def pair(self) -> str:
        """The value with its name, as texts have it."""
        if not self.name:
            return encode(f"before {self.value} after", self.encoding) if self.encoding == "base64" else self.encoded
        if self.encoding == "base64":
            return encode(json.dumps({self.name: self.value}), "base64")
        if self.encoding == "url":
            return quote(f"{self.name}={self.value}", safe="")
        if self.encoding == "json":
            return json.dumps(json.dumps({"user": "ada", self.name: self.value, "n": 1}))
        forms = ("{0}={1}", "{0}: {1}", '{{"{0}":"{1}"}}', "{{'{0}': '{1}', 'n': 1}}", "- name: {0}\n  value: {1}",
                 "a: 1\n{0}: |\n  {1}\nb: 2", '{{"Key": "{0}", "Value": "{1}"}}', "['x', '--{0}', '{1}']", "--{0} {1}",
                 "x {0}='{1}', n=1")  # fmt: skip
        return forms[sum(map(ord, self.value)) % (len(forms) - (3 if not self.name[0].isalpha() else 0))].format(
            self.name, self.value
        )


def encode(text: str, encoding: str) -> str:
    """A text in an encoding."""
    if encoding == "url":
        return quote(text, safe="")
    if encoding == "base64":
        return base64.b64encode(text.encode()).decode()
    return json.dumps(text).replace("/", "\\/")[1:-1] if encoding == "json" else text


def forms(secret: Secret) -> set[str]:
    """By what it would be found: the part of the value that is secret, in each encoding."""
    value = secret.value
    core = value.partition("://app:")[2].partition("@")[0] or value.partition("services/")[2]
    core = core or value.partition("Key=")[2].rstrip("=;") or value.partition("Password=")[2].rstrip(";")
    core = core or value.rpartition(" ")[2] if value.startswith(("Basic", "Bearer")) else core or value
    if value.startswith("-----"):
        core = value.splitlines()[1]
    encoded = base64.b64encode(value.encode()).decode().rstrip("=")
    texts = {core, quote(core, safe=""), json.dumps(core)[1:-1].replace("/", "\\/"), encoded[: len(encoded) // 4 * 4]}
    return texts | {core[: max(8, len(core) // 2)]}


def secrets(rng: Random, count: int) -> list[Secret]:
    """So many, each of them under a name or of a shape."""
    made: list[Secret] = []
    while len(made) < count:
        place, encoding = rng.choice(PLACES), rng.choice(["plain", "url", "base64", "json"])
        if rng.random() < 0.5:
            kind, name = "named", rng.choice(NAMES)
            value = some(rng, ALNUM + "!$*-_.", rng.randint(10, 24))
        else:
            kind, name = rng.choice(list(SHAPES)), ""
            value = SHAPES[kind](rng)
        made.append(Secret(kind, value, name, place, encoding))
    return made


HARMLESS_KEYS = listed("""
    app.order_id order.status customer.tier aws.request_id http.route db.name messaging.destination.name app.note
    code.function error.code app.key cache.key author authority token_count token_type sort_key s3.key key_id
    partition_key enduser.id thread.name peer.service app.count server.address aws.s3.key passwordless keyboard
    messaging.message.id session_count cookie_consent auth_method api_version monkey rpc.method faas.instance
""")


# One a line, line ends as in Python's own text.
TEXTS = [
    line.replace("\\n", "\n").replace("\\\\", "\\")
    for line in Path(__file__).with_name("harmless.txt").read_text("utf-8").splitlines()
]


def harmless(rng: Random) -> str | int | float:
    """A value as spans have them, which nobody has to hide."""
    hexes, digits = rng.choices(HEX, k=64), "".join(rng.choices(string.digits, k=12))
    upper = "".join(rng.choices(UPPER, k=52))
    day = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    num = rng.randrange(10**6)
    word = rng.choice(["orders", "payments", "customers", "inventory", "audit-log", "ledger"])
    made: list[str | int | float] = [
        str(uuid.UUID(int=rng.getrandbits(128))), "".join(hexes[:32]), "".join(hexes[:40]), "".join(hexes), upper,
        upper[:16], f'"{"".join(hexes[:32])}"', f"sha256:{''.join(hexes)}", f"order-{num}", f"HTTP {num % 600}",
        f"arn:aws:lambda:eu-west-1:{digits}:function:{word}-create", f"ORDER#{num}", f"USER#ada#{day}",
        f"arn:aws:dynamodb:eu-west-1:{digits}:table/{word}-OrdersTable-{upper[:12]}/index/byStatus",
        f"arn:aws:secretsmanager:eu-west-1:{digits}:secret:prod/db-a1B2c3", f"Duration: {num}.12 ms",
        f"lambda-latency-{word.title()}Function-{''.join(rng.choices(ALNUM, k=12))}", f"users/ada/{num}.jpg",
        f"dynamodb.eu-west-{num % 3}.amazonaws.com", f"ip-10-0-{num % 255}-7.eu-west-1.compute.internal",
        f"1-{''.join(hexes[:8])}-{''.join(hexes[8:32])}", f"v1.{num}.3-rc1+build.{num}", f"{word}.{num}@v2",
        f"Root=1-{''.join(hexes[:8])}-{''.join(hexes[8:32])};Parent={''.join(hexes[:16])};Sampled=1;Lineage=1:abcd:0",
        f"00-{''.join(hexes[:32])}-{''.join(hexes[32:48])}-01", f"2024/11/25/[$LATEST]{''.join(hexes[:32])}",
        num, num / 7, 1732541234567 + num, 1732541234567890123 + num,
        f"{day}T12:34:56.789Z", f"{day} 12:34:56,789", day, f"/{word}/{{id}}", f"GET /{word}/{{id}}/items",
        f"/{word}/{num}/items", f"http://127.0.0.1:{num % 60000 + 1024}/charges",
        f"https://sqs.eu-west-1.amazonaws.com/{digits}/{word}-queue", f"s3://{word}-bucket/2024/11/report-{num}.csv",
        f"/var/task/functions/{word}/handler_{num}.py", f"status={num % 600} attempts=3 table={word}",
        f"Connection to payments.example.com timed out. (connect timeout={num % 60})",
        f"HTTPConnectionPool(host='127.0.0.1', port={num % 60000}): Read timed out. (read timeout=0.3)",
        json.dumps({"order_id": f"o-{num}", "total": 12.5, "items": [{"sku": "A-17", "n": 2}], "key": f"orders/{num}"}),
        f"{{'order_id': 'o-{num}', 'status': 'paid', 'created': '{day}'}}",
    ]  # fmt: skip
    return rng.choice(made) if rng.random() < 0.6 else rng.choice(TEXTS)
