"""Texts that a caller may have written to keep redaction busy: fragments at random, and fragments that repeat."""

from __future__ import annotations

from random import Random

# What the rules of redaction look for, or begin to read.
FRAGMENTS = (
    "password", "tokens: [", "token=", "api_key", '"secret": "', "'credentials': {", "Authorization: ",
    "cookie: a=", "Bearer ", "Basic ", "to /", "STRIPE_KEY", "session.id", "passphrase ", 'pin_x="',
    "auth('a', ", "login(a, '", "[", "]", "{", "}", "(", ")", '"', "'", "`", "\\", '\\"', '\\\\"', '\'"\'"\'',
    "=", ":", ": ", ", ", ",", "->", "=> ", ">", "<", " ", "\n", "\r\n", "\\n", "\t", "    ", ";", "&", "%25",
    "%3D", "%2F", "%22password%22%3A", "\\u0070", "\\/", "&quot;", "&lt;", "&#61;", "&amp;amp;", "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----BEGIN : [", "-----BEGIN CERTIFICATE-----",
    "eyJ", "eyJhbGciOiJIUzI1NiJ9.", "ghp_", "sk-", "xoxb-", "AKIA", "MII", "AAAA", "SG.", "a1B2c3D4e5F6g7H8",
    "cGFzc3dvcmQ9", "0123456789abcdef", "4242 4242 ", "4111111111111111", ":AA", "$2b$12$", "$1$", "Q~",
    "1234567890123|", "_", "-", ".", "/", "http://", "//u:p@", "@", "@//", "?a=", "#", ";sid=", "/reset/",
    "/bot1:", "hooks.", "jdbc:oracle:thin:a/", "SELECT ", "INSERT INTO t VALUES (", "[SQL: ", "[parameters: ",
    "Key (a)=(", "Failing row contains (", "Duplicate entry '", 'invalid input value for a: "',
    "IDENTIFIED BY '", "from ", "AUTH ", "/*", "--", "$a$", "$$", 'File "a", line 1\n    x="', '  File "',
    "pin\n  no, input_value=", ", input_value=", "'loc': ('", "'input': '", "Path: [a], Data: ",
    "\nOn instance['password']:\n    ", "Invalid type for parameter a, value: ", "name: token\n  value: ",
    '"name": "token", "value": "', '<item name="token">', "<key>token</key>", "</", "<pin a", 'name="a"\r\n',
    "value=a,name=pw", "--password ", "-p ", "-u a:b", " -p'x", "the password for ada ", "is ", "code ",
    "login as ada:", "seed phrase ", "sha256-", "data:image/a;base64,", "ssh-rsa ", "boundary=", "x-amz-id-2: ",
    "a", "1", "é",
)  # fmt: skip
# Texts that took a second of a processor before: each repeated.
KNOWN = (
    "tokens: [", "token-----BEGIN : [", ", input_value=", "Bearer to /value=", "author", "bearer ", "%25",
    "SELECT ", 'password="', "password=(", "Duplicate entry '", "cGFzc3dvcmQ9aHVudGVyMg",
    "-----BEGIN PRIVATE KEY-----", '  File "a"\n    x="', "x_key=", "\\", "mysql -x", "<pin a",
    'name="a"\r\nb: ', "&amp;lt;", "'loc': ('", "auth(a,", "pin\n  , input_value=", "//a:b@", "a/jdbc:oracle:",
    "Name: 'a', 'b': ", "data:image/a;base64,", "[SQL: select ", "<key>token</key> <b>",
    "password                                             ", "/v1", "@", "?a/", "eyJ-", "sk-", "a.", "pin=1,",
    '"key": "a", ', "\nOn instance['pw']:\n     ", "Failing row contains (", "Key (a)=(", "a@b:", "user/p@h ",
    "-p x1y2z3a4 ", "a.b:c@", '\\"INSERT INTO t VALUES (', "\\'INSERT INTO t VALUES (",
)  # fmt: skip


def hostile_text(rng: Random, length: int) -> str:
    """Return a text of fragments: each at random, a few that repeat, or a repetition with others around it."""
    kind = rng.random()
    if kind < 0.4:
        return drawn(rng, length)
    period = "".join(rng.choices((*FRAGMENTS, *KNOWN), k=rng.randint(1, 4)))
    repeated = period * (length // len(period) + 1)
    if kind < 0.8:
        return repeated[:length]
    before = drawn(rng, rng.randint(1, length // 4))
    return f"{before}{repeated[: length // 2]}{drawn(rng, length)}"[:length]


def drawn(rng: Random, length: int) -> str:
    """Return fragments at random up to a length."""
    out, size = list[str](), 0
    while size < length:
        out.append(rng.choice(FRAGMENTS))
        size += len(out[-1])
    return "".join(out)[:length]


def known_texts(length: int) -> list[str]:
    """Return the texts that were slow before."""
    return [(text * (length // len(text) + 1))[:length] for text in KNOWN]
