"""Reads which packages a version of a layer has. Lambda does not tell them, so the layer's own file is read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.request import urlopen

from lambda_latency.fetch import Clients, Place, refusal

INSTALLED = re.compile(r"python/(?P<name>[A-Za-z0-9._]+)-(?P<version>[^/-]+)\.dist-info/METADATA")
MOST_BYTES = 200 * 2**20
LIMIT_S = 60
# IAM's action for the operation GetLayerVersionByArn is GetLayerVersion.
ONLINE_POLICY: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "ReadLayers", "Effect": "Allow", "Action": ["lambda:GetLayerVersion"],
                   "Resource": "arn:*:lambda:*:*:layer:AWSOpenTelemetryDistroPython:*"}],
}  # fmt: skip


class Online:
    """Asks Lambda for the packages of layers, each once. `failed`: what went wrong, by the layer's ARN."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._found: dict[str, Mapping[str, str] | None] = {}
        self.failed: dict[str, str] = {}

    def __call__(self, arn: str) -> Mapping[str, str] | None:
        """The packages of a layer; None if Lambda does not tell them. Raises FetchError without credentials."""
        if arn not in self._found:
            self._found[arn] = self._ask(arn)
        return self._found[arn]

    def _ask(self, arn: str) -> Mapping[str, str] | None:
        from botocore.exceptions import ClientError

        place = Place(self._place.profile, arn.split(":")[3], self._place.endpoint_url)
        try:
            return packages_of(Clients(place).make("lambda").get_layer_version_by_arn(Arn=arn))
        except (ClientError, OSError, zipfile.BadZipFile) as error:
            self.failed[arn] = str(error)
        except Exception as error:
            told = refusal(error, place)
            if told is None:
                raise
            raise told from error
        return None


def packages_of(answer: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The packages in the file that an answer of GetLayerVersionByArn names: version by name. None if it names none.

    Raises OSError or BadZipFile.
    """
    location = str(answer.get("Content", {}).get("Location", ""))
    if not location:
        return None
    with urlopen(location, timeout=LIMIT_S) as response:  # noqa: S310 - the address is AWS's own
        content = response.read(MOST_BYTES)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        found = [INSTALLED.fullmatch(name) for name in file.namelist()]
    return {re.sub(r"[-_.]+", "-", one["name"]).lower(): one["version"] for one in found if one is not None} or None
