"""Says which account, profile and region a command is about to change, and asks once; `make deploy` asks it first.

On stdout stands what `sam` needs to go there, on stderr everything for a person. Nothing is created without an answer:
without a terminal the answer is ARGS=--yes, and without both the status is 2.

Usual time: 1 second.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from lab.commands import ROOT
from lab.hardened import PAGE, missing_protections

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PRODUCTION = "prod"  # the environment whose template must be hardened
ORDER = "--region, samconfig.toml, AWS_REGION, AWS_DEFAULT_REGION, the profile"
ONCE = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})


class NowhereError(Exception):
    """There is no region, no such profile or no credentials; the message has the remedy."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A profile and a region, each with where it comes from."""

    profile: str
    profile_from: str
    region: str
    region_from: str

    def session(self) -> Any:
        """boto3's session of the profile in the region."""
        return boto3.Session(profile_name=self.profile or None, region_name=self.region)

    def __str__(self) -> str:
        profile = f"{self.profile or 'default'} ({self.profile_from})"
        return f"profile {profile}\nregion  {self.region} ({self.region_from})"


def main(parser: ArgumentParser) -> int:
    """0 if the person says yes, 2 if nobody can say it, 1 without credentials, a region or what production needs."""
    parser.add_argument("--config-env", default="default", metavar="E", help="the environment of samconfig.toml")
    parser.add_argument("--region", default="", metavar="R", help=f"the region; usual order: {ORDER}")
    parser.add_argument("--profile", default="", metavar="P", help="the profile of the AWS configuration")
    parser.add_argument("--yes", action="store_true", help="the answer to the question")
    options = parser.parse_args()
    missing = list(missing_protections(ROOT / "template.yaml")) if options.config_env == PRODUCTION else []
    if missing:
        print(f"{PRODUCTION} is not deployed: {PAGE} has the lines that template.yaml lacks", file=sys.stderr)
        print(*(f"  {line}" for line in missing), sep="\n", file=sys.stderr)
        return 1
    try:
        target = destination_of(ROOT, os.environ, options.config_env, region=options.region, profile=options.profile)
        print(target, file=sys.stderr, flush=True)  # before the first call
        print(f"account {account_of(target.session())}", file=sys.stderr)
    except NowhereError as error:
        print(error, file=sys.stderr)
        return 1
    answer = confirmed("Deploy there?", yes=options.yes, terminal=sys.stdin, out=sys.stderr)
    if answer:
        print(f"--region {target.region}" + (f" --profile {target.profile}" if target.profile else ""))
    return {True: 0, False: 3, None: 2}[answer]


def destination_of(
    folder: Path, environment: Mapping[str, str], config_env: str = "default", *, region: str = "", profile: str = ""
) -> Destination:
    """Where a command goes. Raises `NowhereError` if no region is said anywhere, or the profile does not exist."""
    parameters = _samconfig(folder / "samconfig.toml", config_env)
    profiles = {
        "--profile": profile,
        "samconfig.toml": str(parameters.get("profile", "")),
        "AWS_PROFILE": environment.get("AWS_PROFILE", ""),
        "AWS_DEFAULT_PROFILE": environment.get("AWS_DEFAULT_PROFILE", ""),
    }
    profile_from, name = next(((origin, p) for origin, p in profiles.items() if p), ("no other is named", ""))
    try:
        session = get_session({"profile": (None, None, name or None, None)})
        of_profile = str(session.get_scoped_config().get("region", ""))
    except BotoCoreError as error:
        raise NowhereError(f"{error}\n  name another profile ({profile_from}), or none") from error
    regions = {
        "--region": region,
        "samconfig.toml": str(parameters.get("region", "")),
        "AWS_REGION": environment.get("AWS_REGION", ""),
        "AWS_DEFAULT_REGION": environment.get("AWS_DEFAULT_REGION", ""),
        "the profile": of_profile,
    }
    for origin, region_name in regions.items():
        if region_name:
            return Destination(name, profile_from, region_name, origin)
    raise NowhereError(f"no region is known\n  name one: AWS_REGION=eu-west-1 make ... (order: {ORDER})")


def account_of(session: Any) -> str:
    """The account's number and the caller's ARN. Raises `NowhereError` without credentials that AWS accepts."""
    try:
        identity = session.client("sts", config=ONCE).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise NowhereError(
            f"account not known: {error}\n  sign in, or name a profile: AWS_PROFILE=NAME make ..."
        ) from error
    return f"{identity['Account']} ({identity['Arn']})"


def confirmed(question: str, *, yes: bool, terminal: TextIO, out: TextIO) -> bool | None:
    """The answer to a question; None if it cannot be asked."""
    if yes:
        print(f"{question} yes (--yes)", file=out, flush=True)
        return True
    if not terminal.isatty():
        print(f"{question} There is no terminal to answer: ARGS=--yes says yes. Nothing was created.", file=out)
        return None
    print(f"{question} [y/N] ", end="", file=out, flush=True)
    if terminal.readline().strip().lower() in ("y", "yes"):
        return True
    print("Nothing was created.", file=out)
    return False


def _samconfig(path: Path, environment: str) -> dict[str, Any]:
    """The parameters of `sam deploy` in an environment of samconfig.toml; its own override those for all commands."""
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NowhereError(f"{path} cannot be read: {error}") from error
    parameters: dict[str, Any] = {}
    for command in ("global", "deploy"):
        parameters |= read.get(environment, {}).get(command, {}).get("parameters", {})
    return parameters
