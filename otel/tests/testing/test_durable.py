"""A whole durable execution in a test: AWS's test runner runs it, and `trace()` is its tree."""

import pytest

from lambda_latency.testing import span

REASON = "needs aws-durable-execution-sdk-python-otel and -testing, which CI installs from requirements/suites.txt"
sdk = pytest.importorskip("aws_durable_execution_sdk_python", reason=REASON)
plugin = pytest.importorskip("aws_durable_execution_sdk_python_otel", reason=REASON)
runner = pytest.importorskip("aws_durable_execution_sdk_python_testing.runner", reason=REASON)

EXECUTION = [
    span("Workflow")[
        span("DurableExecutionRoot"),
        span("Invocation")[span("reserve")[span("reserve attempt 1")], span("settle")],
        span("Invocation")[span("charge")[span("charge attempt 1")]],
    ]
]


def order(_event, context):  # type: ignore[no-untyped-def]
    """Reserve, wait, and charge."""
    context.step(lambda _: "reserved", name="reserve")
    context.wait(sdk.config.Duration.from_seconds(2), name="settle")
    context.step(lambda _: "charged", name="charge")


def run(handler) -> None:  # type: ignore[no-untyped-def]
    """Run an execution, whose waits are skipped."""
    with runner.DurableFunctionTestRunner(handler, poll_interval=0.05) as execution:
        execution.run(input="{}")


def test_the_trace_of_an_execution_is_one_tree(trace) -> None:  # type: ignore[no-untyped-def]
    """With its invocations, and the operations below the invocation in which they began."""
    run(sdk.durable_execution(order, plugins=[plugin.ExecutionOtelPluginFactory()]))
    assert trace() == EXECUTION


def test_a_difference_is_shown_in_the_tree(trace) -> None:  # type: ignore[no-untyped-def]
    """The step that the execution does not make."""
    run(sdk.durable_execution(order, plugins=[plugin.ExecutionOtelPluginFactory()]))
    [workflow] = EXECUTION
    with pytest.raises(AssertionError, match="refund"):
        assert trace() == [workflow, span("refund")]
