"""Which versions of OpenTelemetry the runtime takes its shortcuts with."""

from __future__ import annotations

import pytest

from lambda_latency.runtime import bootstrap
from lambda_latency.runtime import coldstart as versions
from lambda_latency.runtime.settings import Settings


def test_the_installed_versions_are_in_the_table() -> None:
    """The table is what the tests have run with, and these run now."""
    assert versions.is_tested(versions.installed())


@pytest.mark.parametrize("found", [("1.99.0", "0.99b0"), ("1.44.0", "0.54b1"), ("1.44.0rc1", "0.65b0")])
def test_another_version_is_imported_plainly_and_told_of_once(
    found: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An SDK that is in the table with other instrumentations is one, too."""
    monkeypatch.setattr(versions, "installed", lambda: found)
    checked = bootstrap.checked(Settings.read({}))
    assert (checked.stand_ins, checked.flush_ms) == (False, 250)
    (message,) = caplog.messages
    assert message.startswith(
        f"lambda-latency: OpenTelemetry {found[0]} with instrumentations {found[1]} is not one that"
    )


def test_nothing_is_told_where_the_stand_ins_are_switched_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Then the version makes no difference."""
    monkeypatch.setattr(versions, "installed", lambda: ("1.99.0", "0.99b0"))
    settings = Settings.read({"LAMBDA_LATENCY_STAND_INS": "false"})
    assert (bootstrap.checked(settings), caplog.messages) == (settings, [])
