"""The collector's file, as far as it can be read without a collector."""

from samcli.yamlhelper import yaml_parse

from tests.functions.conftest import ROOT


def test_the_collector_has_nothing_that_its_layer_has_not() -> None:
    """The layer's collector has no processors and no connectors: one in the file, and it does not start."""
    collector = yaml_parse((ROOT / "collector.yaml").read_text(encoding="utf-8"))

    assert set(collector) == {"receivers", "exporters", "service"}
    assert collector["service"]["pipelines"] == {"traces": {"receivers": ["otlp"], "exporters": ["awsxray"]}}
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"] == "${env:OTLP_HOST:-localhost}:4318"
