"""AWS, played: a place with an answer for each operation.

What is asked and what is answered are held against botocore's models of the services, so neither has a form that AWS's
API does not have; what answers in such a form says so (`odd`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from lab.prove.place import Answer

ARRIVED = "1-674385f0-0123456789abcdef01234567"


def refused(code: str, message: str = "") -> ClientError:
    """What AWS says where it does not do what was asked."""
    return ClientError({"Error": {"Code": code, "Message": message or code}}, "Asked")


@cache
def _operations(service: str) -> Mapping[str, Any]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


class Client:
    """A client whose operations are `answer(service, region, operation, given)`."""

    def __init__(self, owner: Any, service: str, region: str) -> None:
        self._owner, self._service, self._region = owner, service, region

    def get_waiter(self, _: str) -> Any:
        """It waits for nothing."""
        return SimpleNamespace(wait=lambda **_: None)

    def __getattr__(self, operation: str) -> Any:
        model = _operations(self._service).get(operation)
        if model is None:
            raise AssertionError(f"{self._service} has no operation {operation}")

        def answer(**given: Any) -> Any:
            if model.input_shape is not None:
                _valid(given, model.input_shape, f"{self._service}.{operation} is asked")
            found = self._owner.answer(self._service, self._region, operation, given)
            if isinstance(found, Exception):
                if isinstance(found, ClientError):
                    found.operation_name = model.name
                raise found
            if model.output_shape is not None and operation not in self._owner.odd:
                _valid(found, model.output_shape, f"{self._service}.{operation} answers")
            return found

        return answer


def _valid(value: Any, shape: Any, what: str) -> None:
    found = ParamValidator().validate(value, shape)
    assert not found.has_errors(), f"{what} in no form of AWS's: {found.generate_report()}"


class Played:
    """A place for one check. `answers` are by service and operation (`xray.batch_get_traces`): a value, an error, or a
    function of what is asked. `deployed` is what would be left.
    """

    stack = "prove"
    region = "eu-west-1"
    is_emulator = False

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[str] = []
        self.deployed: list[str] = []
        self.parameters: list[Mapping[str, str]] = []
        self.exports: list[str] = []
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self.odd: frozenset[str] = frozenset()

    def client(self, service: str, region: str = "") -> Any:
        """A client that plays."""
        return Client(self, service, region)

    def answer(self, service: str, region: str, operation: str, given: Mapping[str, Any]) -> Any:
        """The answer of an operation."""
        self.asked.append(f"{service}.{operation} {region}".rstrip())
        found = self.answers[f"{service}.{operation}"]
        return found(**given) if callable(found) else found

    def build(self) -> None:
        """Nothing to build."""

    def packaged(self) -> str:
        """A template."""
        return "Resources: {}"

    def deploy(self, parameters: Mapping[str, str], export: str = "collector") -> None:
        """It is there from now on."""
        self.parameters.append(parameters)
        self.exports.append(export)
        self.deployed[:] = [self.stack, "prove-table"]

    def deploy_app(self, folder: Path, stack: str) -> None:
        """Another one is there."""
        assert (folder / "template.yaml").is_file()
        self.deployed.append(stack)

    def deploy_part(self, folder: Path, stack: str, parameters: Mapping[str, str]) -> None:
        """Another one is there."""
        assert (folder / "template.yaml").is_file()
        self.parameters.append(parameters)
        self.deployed.append(stack)

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:  # noqa: ARG002
        """It answers."""
        self.requests.append((method, path, headers or {}))
        return Answer(200, ARRIVED, 1.0, 2.0, sampled=True)

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """What a command prints."""
        found = self.answers[f"run.{arguments[0]}"]
        return 0, str(found)

    def delete(self, say: Any) -> None:
        """It is gone."""
        say("deleting")
        self.deployed.clear()

    def left(self) -> list[str]:
        """What is deployed."""
        return list(self.deployed)
