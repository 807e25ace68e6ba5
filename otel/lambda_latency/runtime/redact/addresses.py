"""Removes from URLs and paths what gives access: user info, queries, fragments, parameters, tokens in paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_latency.runtime.redact.names import SECRET, compiled, secrecy, words
from lambda_latency.runtime.redact.values import REDACTED, UUID

if TYPE_CHECKING:
    import re

# A path segment after these is a token that grants something to the holder of the link.
GRANTS = words("""
    reset password-reset reset-password password_reset reset_password passwordreset resetpassword password token
    tokens verify verification verify-email verify_email confirm confirmation confirm-email activate activation
    invite invites invitation invitations unsubscribe magic magic-link magiclink magic_link magic-login login-link
    signin-link otp recover recovery sso apikey api-key api_key apikeys secret secrets signed unlock one-time
    incomingwebhook session-token access-token access_token auth-token auth_token share-token jwt
""")
# A path segment after these is such a token, or an id.
PERHAPS = words(
    "session sessions share shared shares hook hooks webhook webhooks webhookb2 callback login auth oauth s"
)
MARKS = (
    "reset", "token", "verif", "confirm", "activat", "invit", "unsubscr", "magic", "otp", "recover", "sso", "key",
    "secret", "signed", "unlock", "session", "share", "hook", "callback", "login", "auth", "link", "/s/", "/bot",
    "password", "jwt",
)  # fmt: skip
"""A path whose lower-case text has none of these has no such segment."""

# Hosts of web hooks: whoever knows such an address may send to it.
HOOKS = r"(?:.*\.)?(?:web)?hooks?\."
WORD = r"""[^\s<>"]+"""
QUERY = r"[\w.~%\[\]-]{1,80}="
# Path segments that are no token: words, numbers, versions, templates.
PLAIN = r"[a-z]{1,16}(?:[-_][a-z]{1,16}){0,2}(?:\.[a-z]{2,5})?|v?\d{1,9}|[{<:*$].*|[A-Za-z]*\[redacted\].*|"
NAMES = r"[A-Za-z]*\d{0,3}(?:[-_](?:[A-Za-z]*\d{0,3}|\d+))*|.*[.].*"
USER = r"\b[\w.-]{1,64}:[^\s:@/]{1,128}@(?=tcp\(|unix\(|[\w.-]{1,128}:(?:/|\d{2,5}(?!\w))|[\w-]{1,64}\.[\w.-]{1,64}/)"
PARAMETER = r";([\w.-]{1,64})=[^;/?#\s\"'<>]*"
SESSIONS = ("sid", "sessid", "session")


def clean_addresses(text: str) -> str:
    """The text, each of its words redacted as `address` does. Word by word, because that is faster."""
    if not any(mark in text for mark in "?@#;"):
        lower = text.lower()
        if "/" not in text or not any(mark in lower for mark in MARKS):
            return text
    return compiled(WORD).sub(lambda found: address(found[0]), text)


def without_query(text: str) -> str:
    """A URL without user info, query and fragment."""
    if "@" in text:
        text = without_user(text)
    return text.partition("?")[0].partition("#")[0]


def address(word: str) -> str:
    """A word; if it is a URL or a path, without what gives access."""
    if word.isalnum():
        return word
    if "@" in word:
        # Several addresses have a comma between them; a password may have one too.
        word = ",".join(map(without_user, word.split(","))) if word.count("://") > 1 else without_user(word)
    bare = word.lstrip("'`([{,")
    is_path = "://" in word or bare.startswith(("/", "//"))
    before, mark, query = word.partition("?")
    if mark and query and ((is_path and ("/" in before or ":" in before)) or compiled(QUERY).match(query)):
        word = before
    before, mark, fragment = word.partition("#")
    if mark and "/" in before and (is_path or "=" in fragment):
        word = before
    if ";" in word and "=" in word:
        word = without_parameters(word, is_path=is_path)
    return without_grants(word) if "/" in word and "s://" not in word[:5].replace("s3", "gs") else word


def without_user(word: str) -> str:
    """The word without user info. A password may hold any character."""
    end = word.rfind("@") if "jdbc:oracle:" in word else word.find("@//")
    if end > 0 and "/" in word[:end] and "//" not in word[:end]:  # `user/password@//host`, as Oracle writes it
        user = word.partition("/")[0]
        return user[: max(map(user.rfind, ":=('\"")) + 1] + word[end + 1 :]
    scheme, slashes, rest = word.partition("//")
    if slashes and "@" in rest:
        authority = compiled(r"[/?#]").split(rest, maxsplit=1)[0]
        if "@" in authority:
            if "http" not in scheme and compiled(r"[a-z]{1,16}@[^@]*").fullmatch(authority):
                return word  # a user without a password, as in `ssh://git@host`
            return scheme + slashes + authority.rpartition("@")[2] + rest[len(authority) :]
        port = authority.rpartition(":")[2] if ":" in authority else "0"
        return word if port.isdecimal() else scheme + slashes + rest.rpartition("@")[2]
    # `user:password@host:port` without a scheme, as some drivers write it.
    return compiled(USER).sub("", word)


def without_parameters(word: str, *, is_path: bool) -> str:
    """The word without `;name=value`: all of them in a path, elsewhere those of sessions and secrets."""

    def judged(found: re.Match[str]) -> str:
        name = found[1].lower()
        if found[0].endswith(REDACTED):
            return found[0]
        return "" if is_path or name.endswith(SESSIONS) or secrecy(name) == SECRET else found[0]

    return compiled(PARAMETER).sub(judged, word)


def without_grants(word: str) -> str:
    """A path without the tokens after segments such as `reset` and `verify`."""
    lower = word.lower()
    if not any(mark in lower for mark in MARKS):
        return word
    parts = word.split("/")
    granted = perhaps = hook = False
    for at, part in enumerate(parts):
        name = lower_name(part)
        if at and (granted or perhaps) and is_grant(part, sure=granted):
            parts[at] = REDACTED
        elif at and name.startswith("bot") and ":" in part:
            parts[at] = f"bot{REDACTED}"
        hook = hook or ("hook" in name and compiled(HOOKS).match(name) is not None)
        granted = hook or (name in GRANTS and (at > 0 or name != "secret"))  # a mount of Vault's
        perhaps = name in PERHAPS or (perhaps and not granted)
    return "/".join(parts)


def lower_name(part: str) -> str:
    """A path segment as it is compared: in lower case, without quotes and brackets."""
    return part.strip("'`\"()[]{},").lower()


def is_grant(part: str, *, sure: bool) -> bool:
    """Whether a path segment is a token. If that is not `sure`, it must not look like an id."""
    part = part.rstrip("'`\")]},.;\\")
    if compiled(PLAIN).fullmatch(part):
        return False
    if sure:
        return True
    return (
        len(part) >= 12
        and any(map(str.isdigit, part))
        and any(map(str.isalpha, part))
        and UUID.fullmatch(part) is None
        and compiled(NAMES).fullmatch(part) is None
    )
