"""Replaces Lambda's /var/runtime/bootstrap in an execution environment: starts the real runtime client with the handler
in `_HANDLER`, which the exec wrapper may have changed. Variables switch on what only a laptop needs:

- LAMBDA_LATENCY_LOCAL_HOSTS (`payments.example.com=127.0.0.1,...`): names that are resolved without DNS, so that spans
  show the payments provider under a name of its own.
- LAMBDA_LATENCY_LOCAL_FAULTS: the handler that runs the fault in the client context of an invocation, if there is one.
- LAMBDA_LATENCY_LOCAL_NETWORK=loopback, set by tests: only loopback addresses can be called.
- LAMBDA_LATENCY_LOCAL_READ_ONLY, set for built artifacts: file permissions apply to root, too.
- LAMBDA_LATENCY_LOCAL_AWS, set for the user's own apps: the address that receives every call to AWS.
- LAMBDA_LATENCY_LOCAL_COUNTS, set by `diff`: the handler whose bytecodes are counted, the path of the counts, the root.

This script imports nothing of the kit, because the task root may be a built artifact.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Handler = Callable[[Any, Any], Any]

AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
# Of backtracking, to know how long it takes here and now
MEASURED_S = 0.03
NO_ENDPOINT = ".invalid"  # of an endpoint that is a parameter without a value


def stay_on_loopback() -> None:
    """Refuse connections to addresses other than loopback, with `ConnectionRefusedError`."""
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
    if not hasattr(libc, "capget"):  # only Linux has capabilities
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of the interface, this thread
    # Effective, permitted, inheritable; twice, for there are more than 32.
    capabilities = (ctypes.c_uint32 * 6)()
    if libc.capget(header, capabilities) == 0:
        capabilities[0] &= ~(1 << 1)  # CAP_DAC_OVERRIDE
        libc.capset(header, capabilities)


def name_hosts(hosts: str) -> None:
    """Resolve the names in `name=address,...` without DNS."""
    import socket

    addresses = dict(host.split("=", 1) for host in hosts.split(","))
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return ask(addresses.get(host, host), *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def with_fault(handler: Handler, package: str) -> Handler:
    """Return a handler that first runs the fault of the client context. `package` has the function's own modules."""

    def faulty(event: Any, context: Any) -> Any:
        import time

        custom = getattr(context.client_context, "custom", None) or {}
        fault = custom.get("lambda-latency-fault")
        if fault is None:
            return handler(event, context)
        seconds = fault["ms"] / 1000
        if fault["kind"] == "cpu":
            until = time.process_time() + seconds
            while time.process_time() < until:
                pass
        elif fault["kind"] == "delay":
            time.sleep(seconds)
        elif fault["kind"] == "regex":
            with backtracking(seconds, package):
                return handler(event, context)
        elif fault["kind"] == "lock":
            hold_locks(seconds, package)
        else:  # "timeout"
            with_no_answer(context.get_remaining_time_in_millis() / 1000 + 60, handler, event, context)
        return handler(event, context)

    return faulty


@contextmanager
def backtracking(seconds: float, package: str) -> Iterator[None]:
    """Let the first regular expression of each of the function's modules try many alternatives before it matches.

    The expression stays one call of `re`, at the function's own line, and finds what it found before.
    """
    import re
    import time

    part = "(?:(?:|){14}(?!)|)"  # 2 to the 14th alternatives, and none of them matches
    ten = re.compile(part + "{10}")
    start, count = time.perf_counter(), 0
    while (took := time.perf_counter() - start) < MEASURED_S:
        ten.match("")
        count += 10
    count = max(1, round(count * (seconds - took) / took))
    patterns = [(m, *pair) for m in own_modules(package) for pair in members(m, re.Pattern)[:1]]
    for module, name, pattern in patterns:
        setattr(module, name, re.compile(f"{part}{{{count}}}(?:{pattern.pattern})", pattern.flags))
    try:
        yield
    finally:
        for module, name, pattern in patterns:
            setattr(module, name, pattern)


def hold_locks(seconds: float, package: str) -> None:
    """Hold the locks of the function's modules for some time, as another thread would."""
    import threading

    for module in own_modules(package):
        for _, lock in members(module, type(threading.Lock())):
            lock.acquire()
            threading.Timer(seconds, lock.release).start()


def own_modules(package: str) -> list[ModuleType]:
    """Return the function's own modules."""
    return [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == package]


def members(module: ModuleType, kind: type) -> list[tuple[str, Any]]:
    """Return the names and values of a kind in a module, in the order of their definition."""
    return [(name, value) for name, value in vars(module).items() if isinstance(value, kind)]


def with_no_answer(seconds: float, handler: Handler, event: Any, context: Any) -> None:
    """Run the handler, but let its first call wait past the deadline, as a call by a client without a timeout."""
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
    time.sleep(seconds)  # the handler made no call


class AfterImport(MetaPathFinder, Loader):
    """Calls `begin` before the first import of a module, and `then` with the module after it."""

    def __init__(
        self, module: str, then: Callable[[ModuleType], None], begin: Callable[[], None] = lambda: None
    ) -> None:
        self.module, self.then, self.begin = module, then, begin
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
        self.begin()
        self.loader.exec_module(module)
        self.then(module)


def make_faulty(name: str) -> None:
    """Wrap the handler of this name in `with_fault` after its module is imported."""
    file, _, function = name.rpartition(".")

    def then(module: ModuleType) -> None:
        handler = getattr(module, function, None)
        if handler is not None:  # the runtime client reports a missing handler
            setattr(module, function, with_fault(handler, name.partition(".")[0]))

    sys.meta_path.insert(0, AfterImport(file.replace("/", "."), then))


def reach(emulator: str) -> None:
    """Send every call to AWS to the emulator, regardless of the endpoint and profile in the code."""
    import socket

    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str) and host.endswith(AWS):
            raise socket.gaierror(socket.EAI_NONAME, f"AWS is not reached from here: {host}")
        return ask(host, *args, **kwargs)

    def redirect(module: ModuleType) -> None:
        send = module.URLLib3Session.send

        def redirected(self: Any, request: Any) -> Any:
            _, _, host_and_path = request.url.partition("://")
            host, slash, path = host_and_path.partition("/")
            if host.partition(":")[0].endswith((*AWS, NO_ENDPOINT)):
                request.url = f"{emulator}{slash}{path}"
                request.headers["Host"] = host
            return send(self, request)

        module.URLLib3Session.send = redirected

    def forget_profiles(module: ModuleType) -> None:
        set_variable = module.Session.set_config_variable

        def set_config_variable(self: Any, name: str, value: Any) -> None:
            # No profile exists here; the credentials in the variables are enough
            if name != "profile":
                set_variable(self, name, value)

        module.Session.set_config_variable = set_config_variable

    socket.getaddrinfo = getaddrinfo
    sys.meta_path.insert(
        0, AfterImport("http.client", lambda module: without_tls(module, emulator.partition("://")[2]))
    )
    sys.meta_path.insert(0, AfterImport("botocore.httpsession", redirect))
    sys.meta_path.insert(0, AfterImport("botocore.session", forget_profiles))


def without_tls(module: ModuleType, address: str) -> None:
    """Connect to the emulator without TLS: libraries for custom resources answer CloudFormation by HTTPS only."""
    connect = module.HTTPSConnection.connect

    def connected(self: Any) -> None:
        if f"{self.host}:{self.port}" == address:
            module.HTTPConnection.connect(self)
        else:
            connect(self)

    module.HTTPSConnection.connect = connected


def replace_native_client() -> None:
    """Elsewhere than on Linux, AWS's runtime client lacks its native part: load the one beside this script."""
    try:
        __import__("runtime_client")
    except ImportError:
        sys.modules["runtime_client"] = load_script("runtime_client")


def load_script(name: str) -> Any:
    """Load a module that lies beside this script: the folder is not on the import path."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(name, os.path.join(os.path.dirname(__file__), f"{name}.py"))  # noqa: PTH118, PTH120
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Run as the Lambda runtime."""
    # With PYTHONSAFEPATH, this script's folder is not there.
    own_folder = not getattr(sys.flags, "safe_path", False)
    sys.path[:own_folder] = [os.environ["LAMBDA_TASK_ROOT"]]
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
    if counts := os.environ.pop("LAMBDA_LATENCY_LOCAL_COUNTS", ""):
        load_script("counting").install(AfterImport, counts)
    replace_native_client()
    from awslambdaric.__main__ import main as run

    run([sys.argv[0], os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
