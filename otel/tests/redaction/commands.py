"""Command lines, headers, variables and messages at random, as lists and as texts, with a secret or with none."""

import json
import re
import shlex
import string
from pathlib import Path
from random import Random
from typing import TypeAlias

Value: TypeAlias = "str | tuple[str, ...]"
ALNUM = string.ascii_letters + string.digits

WORDS = {
    "option": ("password", "token", "api-key", "secret", "auth-token", "access-key", "client-secret", "db-password"),
    "variable": ("DB_PASSWORD", "TOKEN", "API_KEY", "GITHUB_TOKEN", "PGPASSWORD", "MYSQL_PWD", "STRIPE_SECRET_KEY",
                 "AWS_SECRET_ACCESS_KEY", "REDISCLI_AUTH", "NPM_TOKEN", "SECRET"),
    "header": ("Authorization", "X-Api-Key", "Cookie", "Proxy-Authorization", "X-Auth-Token", "X-Vault-Token",
               "authorization", "x-amz-security-token", "Set-Cookie", "PRIVATE-TOKEN"),
    "word": ("orders", "payments", "audit-log", "ledger"),
}  # fmt: skip


def templates(file: str) -> dict[str, list[str]]:
    """The lines of a file beside this module, by their sections."""
    sections: dict[str, list[str]] = {}
    for line in Path(__file__).with_name(file).read_text("utf-8").splitlines():
        if re.fullmatch(r"\[\w+\]", line):
            sections[line[1:-1]] = []
        elif line:
            sections[[*sections][-1]].append(line)
    return sections


WITH_SECRET, HARMLESS = templates("commands_secret.txt"), templates("commands_harmless.txt")


def secret_values(rng: Random) -> list[tuple[Value, str]]:
    """A value of each line, with the secret in it."""
    made: list[tuple[Value, str]] = []
    for section, lines in WITH_SECRET.items():
        for line in lines:
            value = secret(rng)
            made.append((drawn(rng, section, filled(rng, line, value)), value))
    return made


def harmless_values(rng: Random) -> list[Value]:
    """A value of each line without a secret; the lines are alike those with one as far as possible."""
    return [drawn(rng, section, filled(rng, line, "")) for section, lines in HARMLESS.items() for line in lines]


def drawn(rng: Random, section: str, text: str) -> Value:
    """The value of a line: a list, or one of the texts of that list; a text as it is."""
    if section == "texts":
        return text.replace("\\n", "\n")
    words = tuple(shlex.split(text))
    if section == "arguments" and rng.random() < 0.4:
        return rng.choice([shlex.join(words), " ".join(words), str(words), json.dumps(words),
                           f"Command '{[*words]}' failed"])  # fmt: skip
    return words


def filled(rng: Random, line: str, value: str) -> str:
    """A line with the secret, and with words and numbers at random."""

    def word(mark: re.Match[str]) -> str:
        return value if mark[1] == "s" else str(rng.randint(1, 99)) if mark[1] == "n" else rng.choice(WORDS[mark[1]])

    return re.sub(r"<(\w+)>", word, line)


def secret(rng: Random) -> str:
    """A password, a key, a token."""
    made = "".join(rng.choices(ALNUM, k=rng.randint(8, 24)))
    return rng.choice([
        f"{rng.choice('abcdefgh')}{made}{rng.randint(1, 9)}", f"Sommer!{rng.randint(100, 999)}z{made[:2]}",
        f"horse-{rng.randint(1, 99)}-battery-{made[:4]}", "".join(rng.choices("0123456789abcdef", k=32)),
        f"{made}_{rng.randint(10, 99)}.{made[:3]}",
    ])  # fmt: skip
