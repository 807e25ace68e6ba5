"""Removes values by their shape: tokens with known prefixes, random keys, private keys, card numbers."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING

from lambda_latency.runtime.redact.names import compiled
from lambda_latency.runtime.redact.tokens import BEGINNINGS

if TYPE_CHECKING:
    from collections.abc import Callable

REDACTED = "[redacted]"

LEAST = {prefix: least for least, prefixes in BEGINNINGS.items() for prefix in prefixes.split()}

SESSION = r"(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)[\w+/=%-]*"  # AWS's session tokens, after any text
TELEGRAM = r"(?<!\d)\d{8,10}:AA[\w-]{30,}"
TWILIO = r"\bSK[0-9a-f]{32}\b"
TWILIO_USER = r"(?:(?<=\bAC[0-9a-f]{32}:)|(?<=\bAC[0-9a-f]{32}['\"], ['\"]))[0-9a-f]{32}\b"
KEYS = r"(?<![A-Za-z0-9])sk_[A-Za-z0-9]{24,}(?![\w-])"  # of several vendors; a sort key has words
LAUNCHDARKLY = r"\bsdk-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MAILCHIMP = r"\b[0-9a-f]{32}-us\d{1,2}\b"
AZURE = r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{24,}"
DISCORD = r"(?<![\w-])[A-Za-z\d][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}"
TERRAFORM = r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{20,}"
AIRTABLE = r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}"
FACEBOOK = r"(?<!\d)\d{13,17}\|[\w-]{20,}"
JWT = r"(?<![A-Za-z0-9])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*"
CRYPT = r"\$(?:1|5|6|y|2[abxy]|apr1|argon2\w{1,2})\$[\w./$=,+-]{20,}"  # hashes of passwords
SHAPES = {":AA": TELEGRAM, "SK": TWILIO, "AC": TWILIO_USER, "sk_": KEYS, "sdk-": LAUNCHDARKLY, "-us": MAILCHIMP,
          "Q~": AZURE, "eyJ": JWT, "$": CRYPT, "atlasv1": TERRAFORM, "pat": AIRTABLE, "|": FACEBOOK}  # fmt: skip
"""By a mark without which a text has none."""
BODY = r"[\w~+/=|-]+(?:[.:][\w~+/=|-]+)*"

LINES = {ord(char): " " for char in "\r\n\t"}
# PEM, complete or cut; line ends may be escaped.
PEM = r"(?s)-----BEGIN[A-Z0-9+ %]{0,40}PRIVATE[ +]KEY.*?(?:-----END[A-Z0-9+ %]{0,40}-----|\Z)"
RUN = r"[\w+/-]{16,}={0,2}(?:(?:\r?\n|\\+n)[\w+/]{16,}={0,2})*"
# Pictures, certificates, public keys, digests, ids in AWS's answers, borders of a form's parts: random, and not secret.
PUBLIC = (
    r"(data:(?:image|audio|video|font)/[\w.+-]{1,40};base64,[\w+/=]+|"
    r"-----BEGIN (?:[A-Z]{2,9} )?(?:CERTIFICATE|PUBLIC KEY)-----[\w+/=\\\s]+-----END|"
    r"\bssh-(?:rsa|ed25519|dss) [\w+/=]+|\b(?:sha|SHA)(?:1|256|384|512)[-:][\w+/]{27,86}={0,2}|"
    r"\b(?i:x-amz-id-2|x-amz-cf-id|hostid|receipt ?handle)\W{1,6}[\w+/=-]{20,}|\bboundary=[\w'+/-]{1,70}|"
    r"(?<![\w+/])(?:iVBORw0KGgo|/9j/4AAQ|R0lGODlh|JVBERi0x)[\w+/=]+)"
)
PUBLIC_MARKS = (";base64,", "-----begin ", "ssh-", "sha", "x-amz-", "hostid", "boundary=", "receipt", "ivborw0kggo",
                "/9j/4aaq", "r0lgodlh", "jvberi0x")  # fmt: skip
# What precedes the rest of a path in a run: the end of a host or an ARN's account, a first segment.
PATH = r"(?:(?<=\.)|(?=/)|(?<=:)(?=\d)|(?<=\d:))/{0,2}(?:[a-z][a-z-]{0,30}|v?\d{1,5})/"


def clean_tokens(text: str, inner: Callable[[str], str], *, ids: bool) -> str:
    """A text without tokens and keys. `inner` cleans decoded base64, which is removed as a whole if that changes it."""
    if any(map(text.lower().__contains__, PUBLIC_MARKS)):
        parts = compiled(PUBLIC).split(text)
        parts[::2] = [clean_other_tokens(part, inner, ids=ids) for part in parts[::2]]
        return "".join(parts)
    return clean_other_tokens(text, inner, ids=ids)


def clean_other_tokens(text: str, inner: Callable[[str], str], *, ids: bool) -> str:
    """A text without public keys and the like, without tokens."""
    if "-----BEGIN" in text:
        text = compiled(PEM).sub(REDACTED, text)
    if "IQoJ" in text or "oGZXIvYXdz" in text:
        text = compiled(SESSION).sub(REDACTED, text)
    for prefix, least in LEAST.items():
        if prefix in text:
            text = without_token(text, prefix, least)
    for mark, pattern in SHAPES.items():
        if mark in text:
            text = compiled(pattern).sub(REDACTED, text)
    if text.count(".") > 1 and len(text) > 58:
        text = compiled(DISCORD).sub(lambda found: REDACTED if is_mixed(found[0]) else found[0], text)
    path = compiled(PATH)
    return compiled(RUN).sub(
        lambda found: judged(found[0], inner, ids=ids, path=path.match(text, found.start()) is not None), text
    )


def without_token(text: str, prefix: str, least: int) -> str:
    """A text without the tokens of one prefix."""
    if prefix == "MII":  # a PEM key or certificate without its first line
        return compiled(r"(?<![A-Za-z0-9+/])MII[A-Za-z0-9+/\\\r\n]{200,}={0,2}").sub(REDACTED, text)
    word = least >= 30 and prefix[-1] not in "_-."  # only its length distinguishes it from a word

    def judged(found: re.Match[str]) -> str:
        rest = found[0][len(prefix) :]
        return REDACTED if len(rest) >= least and (not word or is_mixed(rest)) else found[0]

    return compiled(rf"(?<![A-Za-z0-9]){re.escape(prefix)}{BODY}").sub(judged, text)


def judged(run: str, inner: Callable[[str], str], *, ids: bool, path: bool) -> str:
    """A run of letters and digits, redacted if it is base64 of a secret, or too random for a name.

    Of a `path` each segment is judged by itself.
    """
    if run.islower() or run.isupper() or is_id(run):  # neither base64 nor random
        return run
    for part in {run, *run.split("/")}:
        if len(part) >= 16 and not part.islower():
            decoded = text_in(part)
            if decoded and inner(decoded) != decoded:
                return run.replace(part, REDACTED)
    if ids or len(run) < 32:
        return run
    for part in (*[run][path:], *run.split("/"), *compiled(r"[/_-]").split(run)):
        if looks_random(part):
            run = run.replace(part, REDACTED)
    return run


def text_in(run: str, least: int = 8) -> str:
    """The decoded text of base64; empty if it is not text."""
    body = "".join(run.replace("\\n", "").split()).rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        decoded = b64decode(body + "=" * (-len(body) % 4), validate=True).decode()
    except ValueError:
        return ""
    return decoded if len(decoded) >= least and decoded.translate(LINES).isprintable() else ""


def is_id(run: str) -> bool:
    """Whether a run looks like a hash, a UUID or a number: most of these are ids, not secrets."""
    return compiled(r"[0-9a-f-]+|[0-9A-F-]+").fullmatch(run) is not None


def is_mixed(text: str) -> bool:
    """Whether a text has both letters and digits."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def looks_random(run: str) -> bool:
    """Whether a run is at least as long and as random as a secret key of AWS."""
    body = run.rstrip("=")
    if len(body) < 32 or body.islower() or body.isupper() or compiled(r"\d").search(body) is None:
        return False
    if max(map(len, compiled(r"[-_]").split(body))) < 14:
        return False  # for example `app-dev-eu-a1B2c3D4e5F6`
    pieces = compiled(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+").findall(body)
    words = sum([len(piece) for piece in pieces if len(piece) > 4 and piece[1:].islower()])
    return len(pieces) > 0.3 * len(body) and words < 0.45 * len(body)


def opaque(value: str) -> bool:
    """Whether a value is neither a word nor a number, a date, an address or a UUID."""
    if len(value) < 6 or len(value.split()) != 1:
        return False
    if value.startswith(("arn:", "/", "http:", "https:", "s3:")) or UUID.fullmatch(value) or DATE.match(value):
        return False
    has_digit, has_letter = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    if has_digit and has_letter:
        return True
    capitals = sum(map(str.isupper, value[1:]))
    return capitals * (4 if "." in value else len(value)) >= len(value) and not value.isupper()


UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\d")

CARD = (
    r"(?<![\w.-])\d{13,19}(?![\w]|\.\d)|(?<![\w-])\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}(?![\w-])|"
    r"(?<![\w-])\d{4}([ -])\d{6}\2\d{4,5}(?![\w-])"
)
# First digits and lengths of the large networks' card numbers.
NETWORKS = (
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|"
    r"3(?:0[0-5]|[689]\d)\d{11,13}|35\d{14}|62\d{14,17}|5[06-9]\d{14}"
)


def clean_cards(text: str) -> str:
    """A text without card numbers: those with a network's length and first digits that pass Luhn's formula."""
    return compiled(CARD).sub(lambda found: REDACTED if is_card(found[0]) else found[0], text)


def is_card(text: str) -> bool:
    """Whether a text is a card number."""
    digits = text.replace(" ", "").replace("-", "")
    if not compiled(NETWORKS).fullmatch(digits):
        return False
    values = [int(digit) for digit in reversed(digits)]
    doubled = [sum(divmod(2 * value, 10)) for value in values[1::2]]
    return (sum(values[::2]) + sum(doubled)) % 10 == 0
