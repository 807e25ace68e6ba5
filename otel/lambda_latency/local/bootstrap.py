"""Replaces Lambda's /var/runtime/bootstrap in an execution environment: the real runtime client, `_HANDLER` from the
environment (the exec wrapper may have changed it), and two things that only a laptop needs.

The laptop's names: those in LAMBDA_LATENCY_LOCAL_HOSTS (`payments.example.com=127.0.0.1,...`) are resolved without DNS,
so that the payments provider has a name of its own in the spans. The laptop's faults: the handler that
LAMBDA_LATENCY_LOCAL_FAULTS names is slowed down or held where the client context of an invocation says so. With
LAMBDA_LATENCY_LOCAL_NETWORK=loopback, as under test, nothing else can be called; with LAMBDA_LATENCY_LOCAL_READ_ONLY,
where a built artifact runs, root has no more rights to files than others. With LAMBDA_LATENCY_LOCAL_AWS, where
somebody's own app runs, every call to AWS goes to that address.

It runs as a script and imports nothing of ours: the task root may be a built artifact.
"""

import os
import sys
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Handler = Callable[[Any, Any], Any]

AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def stay_on_loopback() -> None:
    """Refuse connections to anywhere else."""
    import ipaddress
    import socket

    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise ConnectionRefusedError(f"only loopback addresses may be called here, not {address[0]}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[assignment]


def heed_permissions() -> None:
    """Make root respect file permissions: Lambda's /var/task is read-only."""
    import ctypes

    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of the interface, this thread
    capabilities = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice, for there are more than 32
    if libc.capget(header, capabilities) == 0:
        capabilities[0] &= ~(1 << 1)  # CAP_DAC_OVERRIDE
        libc.capset(header, capabilities)


def name_hosts(hosts: str) -> None:
    """Answer for the names in `name=address,...` without asking DNS."""
    import socket

    known = dict(host.split("=", 1) for host in hosts.split(","))
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return ask(known.get(host, host), *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def held(handler: Handler) -> Handler:
    """The same handler, after the fault that the invocation's client context plans for it."""

    def faulty(event: Any, context: Any) -> Any:
        import time

        custom = getattr(context.client_context, "custom", None) or {}
        fault = custom.get("lambda-latency-fault")
        if fault is None:
            return handler(event, context)
        if fault["kind"] == "cpu":
            until = time.process_time() + fault["ms"] / 1000
            while time.process_time() < until:
                pass
        elif fault["kind"] == "delay":
            time.sleep(fault["ms"] / 1000)
        else:  # "timeout"
            with_no_answer(context.get_remaining_time_in_millis() / 1000 + 60, handler, event, context)
        return handler(event, context)

    return faulty


def with_no_answer(seconds: float, handler: Handler, event: Any, context: Any) -> None:
    """Run the handler, whose first call waits in vain until the deadline, as where a client has no timeout."""
    import socket
    import threading
    import time

    waiting, read = threading.get_ident(), socket.SocketIO.readinto

    def readinto(self: socket.SocketIO, buffer: Any) -> int | None:
        if threading.get_ident() == waiting:
            time.sleep(seconds)
        return read(self, buffer)

    socket.SocketIO.readinto = readinto  # type: ignore[assignment,method-assign]
    handler(event, context)
    time.sleep(seconds)  # it has called nobody


class AfterImport(MetaPathFinder, Loader):
    """Calls `then` with a module after its first import."""

    def __init__(self, module: str, then: Callable[[ModuleType], None]) -> None:
        self.module, self.then = module, then
        self.loader: Loader | None = None

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.module or (spec := PathFinder.find_spec(fullname, path, target)) is None:
            return None
        self.loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        assert self.loader is not None
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert self.loader is not None
        self.loader.exec_module(module)
        self.then(module)


def make_faulty(name: str) -> None:
    """Put `held` around a handler."""
    file, _, function = name.rpartition(".")

    def then(module: ModuleType) -> None:
        handler = getattr(module, function, None)
        if handler is not None:  # a missing handler is the runtime client's to report
            setattr(module, function, held(handler))

    sys.meta_path.insert(0, AfterImport(file.replace("/", "."), then))


def reach(emulator: str) -> None:
    """Send every call to AWS to the emulator, whatever endpoint or profile the code names; AWS is never reached."""
    import socket

    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str) and host.endswith(AWS):
            raise socket.gaierror(socket.EAI_NONAME, f"AWS is not reached from here: {host}")
        return ask(host, *args, **kwargs)

    def redirect(module: ModuleType) -> None:
        send = module.URLLib3Session.send

        def redirected(self: Any, request: Any) -> Any:
            _, _, rest = request.url.partition("://")
            host, slash, path = rest.partition("/")
            if host.partition(":")[0].endswith(AWS):
                request.url = f"{emulator}{slash}{path}"
                request.headers["Host"] = host
            return send(self, request)

        module.URLLib3Session.send = redirected

    def forget_profiles(module: ModuleType) -> None:
        set_variable = module.Session.set_config_variable

        def set_config_variable(self: Any, name: str, value: Any) -> None:
            if name != "profile":  # there are none here, and the variables' credentials open everything
                set_variable(self, name, value)

        module.Session.set_config_variable = set_config_variable

    socket.getaddrinfo = getaddrinfo
    sys.meta_path.insert(0, AfterImport("botocore.httpsession", redirect))
    sys.meta_path.insert(0, AfterImport("botocore.session", forget_profiles))


def main() -> None:
    """Become the Lambda runtime."""
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]  # in place of this script's own folder
    if hosts := os.environ.pop("LAMBDA_LATENCY_LOCAL_HOSTS", ""):
        name_hosts(hosts)
    if os.environ.pop("LAMBDA_LATENCY_LOCAL_NETWORK", "") == "loopback":
        stay_on_loopback()
    if os.environ.pop("LAMBDA_LATENCY_LOCAL_READ_ONLY", ""):
        heed_permissions()
    if handler := os.environ.pop("LAMBDA_LATENCY_LOCAL_FAULTS", ""):
        make_faulty(handler)
    if emulator := os.environ.pop("LAMBDA_LATENCY_LOCAL_AWS", ""):
        reach(emulator)
    from awslambdaric.__main__ import main as run

    run([sys.argv[0], os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
