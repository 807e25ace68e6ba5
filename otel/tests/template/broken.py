"""Collector files that stop every function at init, or leave its spans where nobody sees them."""

from dataclasses import dataclass

GOOD = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: localhost:4318
exporters:
  awsxray:
    region: ${env:AWS_REGION}
    max_retries: 1
    indexed_attributes: [http.route]
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [awsxray]
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """What is replaced in the file above by what, and the one thing that is said of it: line, value, remedy."""

    changes: dict[str, str]
    message: str


BROKEN = {
    "an exporter that nobody knows": Broken(
        {"  awsxray:\n": "  awsxry:\n", "exporters: [awsxray]": "exporters: [awsxry]"},
        "broken.yaml:7: exporters has 'awsxry', unknown to ADOT on Lambda: did you mean 'awsxray'?",
    ),
    "a processor": Broken(
        {"service:\n": "processors:\n  batch:\nservice:\n"},
        "broken.yaml:12: processors has 'batch': remove it: ADOT's collector on Lambda has no "
        "processors, and does not start with one",
    ),
    "a processor in a pipeline": Broken(
        {"      receivers: [otlp]\n": "      receivers: [otlp]\n      processors: [decouple]\n"},
        "broken.yaml:15: pipeline traces names 'decouple': remove it: ADOT's collector on Lambda has no "
        "processors, and does not start with one",
    ),
    "a naked variable": Broken(
        {"${env:AWS_REGION}": "$AWS_REGION"},
        "broken.yaml:8: '$AWS_REGION' is used literally: write ${env:AWS_REGION} in place of $AWS_REGION",
    ),
    "a wrong key": Broken(
        {"max_retries": "max_retry"},
        "broken.yaml:9: exporters.awsxray has no key 'max_retry': did you mean 'max_retries'?",
    ),
    "a key of another protocol": Broken(
        {"      http:\n": "      https:\n"},
        "broken.yaml:4: receivers.otlp.protocols has no key 'https': did you mean 'http'?",
    ),
    "a pipeline with an exporter that is not there": Broken(
        {"exporters: [awsxray]": "exporters: [awsxray, debug]"},
        "broken.yaml:15: pipeline traces names 'debug', which exporters does not define: define it under"
        " exporters, or remove it here",
    ),
    "an endpoint that no function sends to": Broken(
        {"localhost:4318": "localhost:4319"},
        "broken.yaml:5: receivers.otlp.protocols.http listens on 'localhost:4319', but functions send to"
        " 'http://localhost:4318/v1/traces': make it localhost:4318, or change the variable that names "
        "the function's endpoint",
    ),
    "no retries at all": Broken(
        {"max_retries: 1": "max_retries: 0"},
        "broken.yaml:9: max_retries is 0, which means three attempts: write 1",
    ),
    "a time with a unit": Broken(
        {"max_retries: 1": "request_timeout_seconds: 1s"},
        "broken.yaml:9: request_timeout_seconds is '1s': write a whole number, without a unit",
    ),
    "one name that is no list": Broken(
        {"[http.route]": "http.route"},
        "broken.yaml:10: indexed_attributes is not a list of names: write one attribute per line, each after a dash",
    ),
    "a section that nobody knows": Broken(
        {"service:\n": "extension:\n  sigv4auth:\nservice:\n"},
        "broken.yaml:11: unknown section 'extension': did you mean 'extensions'?",
    ),
    "an extension that is not there": Broken(
        {"service:\n": "service:\n  extensions: [health_check]\n"},
        "broken.yaml:12: service names 'health_check', which extensions does not define: define it under"
        " extensions, or remove it here",
    ),
    "a signal that nobody knows": Broken(
        {"    traces:\n": "    trace:\n"},
        "broken.yaml:13: pipeline 'trace' has an unknown signal: did you mean 'traces'?",
    ),
    "metrics for X-Ray": Broken(
        {"    traces:\n": "    metrics:\n"},
        "broken.yaml:15: pipeline metrics names 'awsxray': remove it: awsxray accepts traces only",
    ),
    "a pipeline without an end": Broken(
        {"      exporters: [awsxray]\n": ""},
        "broken.yaml:13: pipeline traces has no exporters: name one of them: exporters: [...]",
    ),
    "nothing that carries spans": Broken(
        {"  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [awsxray]\n": "  telemetry:\n"},
        "broken.yaml:1: no pipeline: add service.pipelines.traces, otherwise nothing is exported",
    ),
}
