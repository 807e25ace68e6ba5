"""A place whose AWS is played: each operation has its answer, and what was deployed is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lab.prove.place import Answer

__all__ = ["ARRIVED", "Played", "refused"]

ARRIVED = "1-674385f0-0123456789abcdef01234567"


def refused(code: str) -> ClientError:
    """What AWS says where it does not do what was asked."""
    return ClientError({"Error": {"Code": code, "Message": code}}, "asked")


class Played:
    """`answers` are by service and operation (`xray.batch_get_traces`): a value, an error, or a function of what is
    asked. `deployed` is what would be left.
    """

    stack = "prove"
    region = "eu-west-1"
    is_emulator = False

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[str] = []
        self.deployed: list[str] = []
        self.parameters: list[Mapping[str, str]] = []
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []

    def client(self, service: str, region: str = "") -> Any:
        """A client that plays."""
        return _Client(self, service, region)

    def build(self) -> None:
        """Nothing to build."""

    def packaged(self) -> str:
        """A template."""
        return "Resources: {}"

    def deploy(self, parameters: Mapping[str, str]) -> None:
        """It is there from now on."""
        self.parameters.append(parameters)
        self.deployed[:] = [self.stack, "prove-table"]

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:  # noqa: ARG002
        """It answers."""
        self.requests.append((method, path, headers or {}))
        return Answer(200, ARRIVED, 1.0, 2.0)

    def delete(self) -> None:
        """It is gone."""
        self.deployed.clear()

    def left(self) -> list[str]:
        """What is deployed."""
        return list(self.deployed)


class _Client:
    def __init__(self, place: Played, service: str, region: str) -> None:
        self._place, self._service, self._region = place, service, region

    def __getattr__(self, operation: str) -> Any:
        name = f"{self._service}.{operation}"

        def answer(*_: object, **given: Any) -> Any:
            self._place.asked.append(f"{name} {self._region}".rstrip())
            found = self._place.answers[name]
            found = found(**given) if callable(found) else found
            if isinstance(found, Exception):
                raise found
            return found

        return answer
