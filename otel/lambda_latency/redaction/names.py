"""Recognizes names of secret values, in any spelling: of attributes, headers, variables, keys in JSON.

A name is split into words (`dbPassword`, `DB_PASSWORD` and `db-password` have two), and the words decide.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the expression, compiled on its first use: a cold start pays for each. Flags are in its text."""
    return re.compile(pattern)


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


NO, PERHAPS, SECRET = 0, 1, 2
"""PERHAPS: the value is secret unless it looks like a word, a number or an id."""

WORD = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")

REDACTED, UNREAD = "[redacted]", "[unread]"
"""What replaces a secret, and the rest of a text when the time is over."""

# Parts of secret names, and of what rules about names read. A text without any of them holds no secret name.
HINT = """
    pass pw secret cred token key auth cookie sess sid jwt bearer srf otp pin cvv cvc ssn sig saml sso mnemonic phrase
    assertion senha secur recover backup verif mfa sms one_time one-time device magic contrase kennwort parola
    wachtwoord haslo şifre пароль 密码 パスワード 비밀번호 nonce salt card kubeconfig _pat sas dsn hmac psk
    confirm activat basic login log connect bind identified create select insert update delete invalid [sql: reset
    unlock access_c access-c accessc share hook callback invit unsubscr /s/ /bot
"""
HINTS = (*HINT.split(), " -", "'-", '"-', "duplicate entry", "failing row")

SHORT = 48  # characters
OF_TWO = tuple([hint for hint in HINTS if len(hint) == 2])
BEGINNINGS = frozenset([tuple(hint[:3]) for hint in HINTS if len(hint) > 2])

# The same, for names only: too many texts have these.
OF_NAMES_ALONE = ("query", "netrc", "psw", "pat", "mdp", "sifre", "hasło", "access", "national")

PARTS = ("passw", "passphrase", "passcode", "secret", "credential", "cookie", "apikey", "privatekey", "privkey",
         "sessid", "accesskey", "authkey", "signingkey", "encryptionkey", "sessionid", "mnemonic")  # fmt: skip
ENDS = ("token", "pwd", "pw", "jwt", "auth", "pass")

WHOLE = words("""
    authentication sess psw pswd creds cred bearer authorization otp totp pin csrf xsrf cvv cvc ssn signature sig saml
    kubeconfig netrc sid hmac pat sas senha contraseña contrasena passwort kennwort passe motdepasse mdp parola psk
    wachtwoord haslo hasło sifre şifre пароль 密码 パスワード 비밀번호
""")
PERHAPS_WHOLE = words("session tokens sso nonce salt assertion dsn secretid")
PLAIN = words("""
    secretsmanager secretary secretariat passwordless tokenizer tokenize tokenized tokenization authorizer
    authorized unauthorized bypass compass encompass surpass trespass overpass underpass sshpass
""")

# Words before `key` that make it a secret; `PLAIN_KEYS` are those for keys of tables, queues and caches.
OPENING = words("""
    api access secret private priv encryption encrypt decryption signing sign signature master auth account shared
    ssh service client db database consumer app application license storage hmac aes rsa pgp gpg webhook deploy
    session admin server write ingest ingestion subscription management sas tls ssl cert certificate root bearer
    token authorization publishable integration provisioning instrumentation
""")
SURELY = frozenset(("api", "private", "secret", "access", "encryption", "signing", "ssh"))
PLAIN_KEYS = words("""
    primary partition sort hash range foreign cache public idempotency routing message object s3 record dedup unique
    index lookup group row shard composite kms bucket item redis map dict json order start last evaluated translation
    parent tag label event metric flag config context field registry next prev new old any no invalid missing duplicate
    unknown host table surrogate collection document entity resource route function parameter recv
""")

CODES = words("""
    security recovery backup verification auth authorization access mfa otp sms pass device oauth confirmation reset
    login unlock activation
""")
PHRASES = frozenset([f"{word}_code" for word in CODES]) | words("""
    seed_phrase recovery_phrase pass_phrase pass_word card_number session_id magic_link code_verifier card_no card_num
    credit_card debit_card social_security national_insurance security_answer verification_value sonar_login
    secure_string
""")
SECOND = frozenset(["token", "key", "keys", *[phrase.rpartition("_")[2] for phrase in PHRASES]])
"""Words that a word before them makes the name of a secret, or no name."""

# Words after a secret name: with those of `ABOUT` the value describes a secret, with those of `STILL` it is one.
ABOUT = words("""
    type kind count name names length limit limits usage use expiry expires expiration expired ttl age rotation version
    valid required enabled policy status state url uri endpoint host path file method scheme algorithm alg provider
    issuer format mode at in time date arn index position error errors failure attempts domain secure max min timeout
    ms seconds start end exists found result message source scope manager store service jar per id ids consent samesite
""")
STILL = words("""
    value raw text plain plaintext string data content old new current previous prev last hash hashed encrypted enc
    b64 base64 hex confirmation confirm again repeat repeated salt base key keys token secret env prod production
    dev development staging test live sandbox primary secondary backup main default admin str val header
""")
PAGES = words("next continuation continue page pagination starting previous prev cancellation idempotency fencing "
              "unexpected")  # fmt: skip
QUERIES = frozenset(("query", "query_string", "querystring"))
CORRELATION = frozenset(("session.id", "session.previous_id"))
"""Names that OpenTelemetry's conventions define for correlation: no secret opens a session by them."""


def hinted(text: str) -> bool:
    """Whether the text may hold the name of a secret, or an SQL statement."""
    lower = text.lower()
    # Most short texts hold none, and their triples of letters show it in half the time. A cold start has a hundred.
    if len(lower) <= SHORT and BEGINNINGS.isdisjoint(zip(lower, lower[1:], lower[2:], strict=False)):
        return any(map(lower.__contains__, OF_TWO))
    for hint in HINTS:  # noqa: SIM110 - a generator takes 1.5 times as long
        if hint in lower:
            return True
    return False


@lru_cache(maxsize=2048)
def secrecy(name: str) -> int:
    """Whether a name is that of a secret value: NO, PERHAPS or SECRET."""
    leaf = name.rpartition(".")[2]
    if name in CORRELATION or not (hinted(name) or any(map(name.lower().__contains__, OF_NAMES_ALONE))):
        return NO
    if leaf.lower().replace("-", "_") in QUERIES:
        return SECRET
    parts = [word.lower() for word in WORD.findall(name)]
    leaf_start = len(parts) - len(WORD.findall(leaf))
    highest = NO
    for index, word in enumerate(parts):
        level = word_level(word, parts[index - 1] if index else "", name)
        if level:
            # A word in an earlier part of the name counts less: `auth.user` is not `auth`.
            highest = max(highest, level_before(level, parts[index + 1 :], in_leaf=index >= leaf_start))
    return highest


def word_level(word: str, prior: str, name: str) -> int:
    """Return the level of a word of a name, by itself or with the word before it."""
    if word in PLAIN or (word == "token" and prior in PAGES):
        return NO
    if word in ("key", "keys"):
        return key_level(prior, name)
    if word in PERHAPS_WHOLE or f"{prior} {word}" == "request token":
        return PERHAPS
    if word in WHOLE or f"{prior}_{word.removesuffix('s')}" in PHRASES or word.endswith(ENDS):
        return SECRET
    is_key = word.endswith("key") and word[:-3] in OPENING
    return SECRET if is_key or any(map(word.__contains__, PARTS)) else NO


def key_level(prior: str, name: str) -> int:
    """Return the level of a name that ends with `key`, by the word before it."""
    apart = f"{prior}.key" in name.lower()  # `app.key` is a key of the app's data, not a secret
    if prior in (SURELY if apart else OPENING) or prior.endswith("api"):
        return SECRET
    if not prior or prior in PLAIN_KEYS or prior.isdecimal() or apart:
        return NO
    return SECRET if name.isupper() else PERHAPS  # `STRIPE_KEY` is an environment variable


def level_before(level: int, following: list[str], *, in_leaf: bool) -> int:
    """Return the level of a name by the words that follow it. `in_leaf`: it is in the last part of the whole name."""
    qualifiers = [word for word in following if not word.isdecimal() and word not in STILL]
    if not qualifiers:
        return level
    if level == SECRET and qualifiers in (["id"], ["ids"]):
        return PERHAPS
    is_about = not in_leaf or level == PERHAPS or not ABOUT.isdisjoint(qualifiers)
    return NO if is_about else PERHAPS


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID. The general search for credentials would take ten times as long."""
    is_grouped = len(text) == 36 and text[8:24:5] == "----" and text.count("-") == 4
    return is_grouped and not text.strip("0123456789abcdefABCDEF-")
