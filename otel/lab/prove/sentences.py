"""The sentences of docs/explanation/not-seen-on-aws.md, each with its check."""

from collections.abc import Sequence

from lab.prove import configured, traced
from lab.prove.scene import Sentence

# The requests that are sent before the checks, each with the status that it must have.
CALLS: Sequence[tuple[str, str, int]] = (
    ("GET", "/orders?customer=ada", 200), ("GET", "/orders/o-1", 404), ("GET", "/orders?customer=ada", 200)
)  # fmt: skip
NO_LAYERS = "the emulator has no layers of AWS's"

# `explained` and those after it deploy the stack anew: what reads the first deployment stands before them.
SENTENCES = (
    Sentence("the versions of the layers ([table](../reference/layers.md))", configured.layers, NO_LAYERS),
    Sentence("that the layer contains the packages that the table says", configured.contents, NO_LAYERS),
    Sentence("the filter expression of the group of slow requests", configured.group),
    Sentence(
        "what the collector's exporter makes of the kit's spans: segments with their annotations", traced.segments
    ),
    Sentence("that X-Ray finds a trace by an annotation with dots in its name", traced.searched),
    Sentence("that the response is out before the extension's work ends", traced.response_first),
    Sentence("that no span is lost at the freeze", traced.freeze),
    Sentence("what X-Ray keeps of a span that is sent twice under one id", traced.sent_twice),
    Sentence("that the spans of an invocation that timed out arrive", traced.spans_at_timeout),
    Sentence(
        "that Lambda reports its limit as the duration of an invocation that timed out: the alarm on timeouts needs it",
        configured.duration_at_timeout,
        "the emulator has no metrics",
    ),
    Sentence(
        "that CloudWatch takes each alarm", configured.alarms, "the emulator takes each on one of its metrics only"
    ),
    Sentence("that `report --xray` names a slow provider in the stack's own traces", traced.slow_provider),
    Sentence("that an alarm rings and its explanation arrives", configured.explained),
    Sentence("whether Lambda runs the X-Ray daemon for `PassThrough`", traced.daemon),
    Sentence(
        "whether CloudFormation accepts the map of layers in a region outside of it with tracing off",
        configured.outside,
        "the emulator decides maps as this project does",
    ),
    Sentence(
        "an app that `adopt` has edited: what it writes has been built and deployed to an emulator, with the layers of "
        "AWS left out",
        traced.adopted,
        NO_LAYERS,
    ),
    Sentence(
        "cold start and wait in milliseconds: with the kit, with the X-Ray SDK, and with neither",
        traced.starts,
        "the emulator's times are not Lambda's",
    ),
    Sentence(
        "that code which computes takes half of the time at twice the memory: no report says such a number before",
        traced.twice,
        "the emulator's times are not Lambda's",
    ),
    Sentence(
        "whether X-Ray's OTLP endpoint takes what `LAMBDA_LATENCY_EXPORT=otlp` sends, and what it answers where "
        "Transaction Search is off",
        traced.otlp,
    ),
    Sentence(
        "AWS's collector image (`demo --collector docker`), for lack of a Docker daemon",
        configured.image,
        "it is not an emulator's",
        is_about_aws=False,
    ),
)
