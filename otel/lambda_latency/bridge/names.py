"""The modules of the X-Ray SDK: a table of their names, and the finder that makes them from it.

Nothing but a module that is imported is made, and nothing that it needs is imported before.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.abc import Loader

SDK, BRIDGE = "aws_xray_sdk", "lambda_latency.bridge"
# Each module's names, by the module that has them: with a dot in front, one of the bridge. `name=other` is a name that
# is called otherwise there, `name='text'` a text.
MODULES = {
    "core": ".recorder AWSXRayRecorder patch patch_all xray_recorder",
    "core.async_context": ".context AsyncContext",
    "core.async_recorder": ".context AsyncSegmentContextManager AsyncSubsegmentContextManager"
    "; .recorder AsyncAWSXRayRecorder",
    "core.context": ".context Context",
    "core.emitters.udp_emitter": ".sampling UDPEmitter=Emitter",
    "core.exceptions.exceptions": ".exceptions AlreadyEndedException SegmentNameMissingException"
    " SegmentNotFoundException SubsegmentNameMissingException FacadeSegmentMutationException=NeverRaised"
    " InvalidDaemonAddressException=NeverRaised InvalidSamplingManifestError=NeverRaised"
    " MissingPluginNames=NeverRaised",
    "core.lambda_launcher": ".context LambdaContext LAMBDA_TRACE_HEADER_KEY='_X_AMZN_TRACE_ID'"
    " LAMBDA_TASK_ROOT_KEY='LAMBDA_TASK_ROOT'",
    "core.models.default_dynamic_naming": ".naming DefaultDynamicNaming",
    "core.models.dummy_entities": ".entity DummySegment DummySubsegment",
    "core.models.entity": ".entity Entity",
    "core.models.facade_segment": ".entity FacadeSegment=Segment",
    "core.models.http": ".http request_keys response_keys URL='url' METHOD='method' USER_AGENT='user_agent'"
    " CLIENT_IP='client_ip' X_FORWARDED_FOR='x_forwarded_for' STATUS='status' CONTENT_LENGTH='content_length'"
    " XRAY_HEADER='X-Amzn-Trace-Id' ALT_XRAY_HEADER='HTTP_X_AMZN_TRACE_ID'",
    "core.models.segment": ".context SegmentContextManager; .entity Segment",
    "core.models.subsegment": ".context SubsegmentContextManager; .entity Subsegment",
    "core.models.trace_header": ".http TraceHeader",
    "core.models.traceid": ".naming TraceId",
    "core.patcher": ".patching SUPPORTED_MODULES; .recorder patch patch_all",
    "core.plugins.ec2_plugin": ".sampling runtime_context initialize=nothing SERVICE_NAME='ec2'"
    " ORIGIN='AWS::EC2::Instance'",
    "core.plugins.ecs_plugin": ".sampling runtime_context initialize=nothing SERVICE_NAME='ecs'"
    " ORIGIN='AWS::ECS::Container'",
    "core.plugins.elasticbeanstalk_plugin": ".sampling runtime_context initialize=nothing"
    " SERVICE_NAME='elastic_beanstalk' ORIGIN='AWS::ElasticBeanstalk::Environment'",
    "core.recorder": ".recorder AWSXRayRecorder",
    "core.sampling.local.sampler": ".sampling LocalSampler=Sampler",
    "core.sampling.sampler": ".sampling DefaultSampler=Sampler",
    "core.streaming.default_streaming": ".sampling DefaultStreaming=Streaming",
    "core.utils.search_pattern": ".naming wildcard_match",
    "core.utils.sqs_message_helper": ".http SqsMessageHelper SQS_XRAY_HEADER='AWSTraceHeader'",
    "core.utils.stacktrace": ".exceptions get_stacktrace",
    "ext.aiohttp.client": ".http aws_xray_trace_config",
    "ext.aiohttp.middleware": ".web middleware",
    "ext.bottle.middleware": ".web XRayMiddleware=BottlePlugin",
    "ext.dbapi2": ".dbapi2 XRayTracedConn XRayTracedCursor",
    "ext.django.apps": "- default_app_config=''",
    "ext.django.middleware": ".web XRayMiddleware=DjangoMiddleware",
    "ext.flask.middleware": ".web XRayMiddleware=FlaskMiddleware",
    "ext.flask_sqlalchemy.query": "flask_sqlalchemy XRayFlaskSqlAlchemy=SQLAlchemy",
    "ext.httplib": ".sampling add_ignored=nothing reset_ignored=nothing",
    "ext.sqlalchemy.query": "sqlalchemy.orm.query XRayQuery=Query"
    "; sqlalchemy.orm.session XRaySession=Session XRaySessionMaker=sessionmaker",
    "ext.util": ".http calculate_segment_name construct_xray_header get_hostname inject_trace_header strip_url",
    "sdk_config": ".context SDKConfig",
    "version": "- VERSION='2.15.0'",
}
PACKAGES = {module.rpartition(".")[0] for module in MODULES} - {""}
ALL = MODULES.keys() | PACKAGES


class Finder:
    """The finder and loader of the modules in the table."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The spec of a module in the table; None for others."""
        module = name.removeprefix(f"{SDK}.")
        if module == name or module not in ALL:
            return None
        return ModuleSpec(name, cast("Loader", self), is_package=module in PACKAGES)

    def create_module(self, _spec: ModuleSpec) -> None:
        """Python's own module is right."""

    def exec_module(self, module: ModuleType) -> None:
        """Sets the names of a module. Modules of a package are imported on access: the SDK imports all of them."""
        vars(module)["__getattr__"] = partial(submodule, module.__name__)
        for part in MODULES.get(module.__name__.partition(".")[2], "").split("; "):
            source, *entries = part.split(" ")
            for entry in entries:
                name, _, original = entry.partition("=")
                vars(module)[name] = value_of(source, original or name)


def value_of(source: str, name: str) -> Any:
    """The value of a name in a module, or the text between quotes."""
    return name[1:-1] if name.startswith("'") else getattr(import_module(source, BRIDGE), name)


def submodule(package: str, name: str) -> ModuleType:
    """A module of a package. Raises `AttributeError` if the table has none of this name."""
    if f"{package}.{name}".partition(".")[2] in ALL:
        return import_module(f"{package}.{name}")
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
