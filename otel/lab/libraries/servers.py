"""The servers that the libraries are run against: real ones where Debian has them, each on a free port of 127.0.0.1."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.commands import ROOT
from lambda_latency.local.processes import free_ports

PACKAGES = {
    "PostgreSQL": "postgresql",
    "MariaDB": "mariadb-server",
    "Redis": "redis-server",
    "RabbitMQ": "rabbitmq-server",
}
"""Servers by the Debian package that brings each."""

START_S = 120
USER = "'shop'@'%'"
POSTGRES = "/usr/lib/postgresql"


class Servers:
    """Those that have been asked for; all are ended, and their files removed, by `close`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="libraries-"))
        self._folder.chmod(0o755)  # PostgreSQL runs as another user
        self._ports: dict[str, int | None] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def port(self, name: str, python: Path) -> int | None:
        """The port of a server, which is started now if need be; None where it is not installed.

        `python` is the interpreter of the libraries' environment, which has the servers that PyPI serves.
        """
        if name not in self._ports:
            self._ports[name] = self._start(name, python)
        return self._ports[name]

    def close(self) -> None:
        """End them all."""
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, name: str, python: Path) -> int | None:
        start = {
            "PostgreSQL": self._postgresql,
            "MariaDB": self._mariadb,
            "Redis": self._redis,
            "RabbitMQ": self._rabbitmq,
        }.get(name)
        if start is not None:
            return start()
        port_file = self._folder / name
        command: list[str | Path] = [python, "-m", "lab.libraries.stubs", name, port_file]
        self._run(name, command, lambda: int(port_file.read_text()), more={"PYTHONPATH": str(ROOT / "otel")})
        return int(port_file.read_text())

    def _postgresql(self) -> int | None:
        programs = sorted(Path(POSTGRES).glob("*/bin/initdb"))
        if not programs:
            return None
        binaries, data, (port,) = programs[-1].parent, self._folder / "postgresql", free_ports(1)
        user = "postgres" if os.geteuid() == 0 else None  # it refuses to be root
        data.mkdir()
        if user is not None:
            shutil.chown(data, user)
        subprocess.run(
            [binaries / "initdb", "--pgdata", data, "--username", "shop", "--auth", "trust", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, user=user, env=environment(user), cwd="/",
        )  # fmt: skip
        options = ["-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(data), "-F"]
        command = [str(binaries / "postgres"), *options]
        self._run("PostgreSQL", command, port, user=user)
        psql = [str(binaries / "psql"), *f"-h 127.0.0.1 -p {port} -U shop -d postgres -qc".split()]
        eventually(lambda: subprocess.run([*psql, "create database shop"], check=True, capture_output=True))
        return port

    def _mariadb(self) -> int | None:
        install, server = shutil.which("mariadb-install-db"), shutil.which("mariadbd", path=SBIN)
        if install is None or server is None:
            return None
        data, (port,), me = self._folder / "mariadb", free_ports(1), pwd.getpwuid(os.geteuid()).pw_name
        options = ["--no-defaults", f"--datadir={data}", f"--user={me}"]
        subprocess.run(
            [install, *options, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        setup = data / "first.sql"  # a statement a line
        setup.write_text(
            f"create database shop;\ncreate user {USER} identified by 'secret';\ngrant all on shop.* to {USER};\n"
        )
        options += [f"--port={port}", f"--init-file={setup}", "--bind-address=127.0.0.1", f"--socket={data}/socket"]
        command = [server, *options, "--skip-name-resolve"]
        self._run("MariaDB", command, port)
        return port

    def _redis(self) -> int | None:
        server = shutil.which("redis-server")
        if server is None:
            return None
        (port,) = free_ports(1)
        self._run(
            "Redis", [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder], port
        )
        return port

    def _rabbitmq(self) -> int | None:
        server, epmd = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin"), shutil.which("epmd")
        if server is None or epmd is None:
            return None
        (port, names, distribution), home = free_ports(3), self._folder / "rabbitmq"
        user = "rabbitmq" if os.geteuid() == 0 else None
        home.mkdir()
        if user is not None:
            shutil.chown(home, user)
        more = {"ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self._run("epmd", [epmd, "-port", str(names)], names, user=user, more=more)  # else it leaves one behind
        more |= {
            "RABBITMQ_NODENAME": "shop@localhost",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(home),
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "HOME": str(home),
        }
        self._run("RabbitMQ", [server], port, user=user, more=more)
        return port

    def _run(
        self,
        name: str,
        command: Sequence[str | Path],
        port: int | Callable[[], int],
        user: str | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Start a server and wait until it takes connections."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                cwd="/",
                env=environment(user) | dict(more or {}),
            )
        self._processes.append(process)

        def takes() -> None:
            if process.poll() is not None:
                raise SystemExit(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            socket.create_connection(("127.0.0.1", port if isinstance(port, int) else port()), 1).close()

        eventually(takes)


SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def environment(user: str | None) -> dict[str, str]:
    """The variables of a server's process."""
    return {**os.environ, **({"HOME": "/", "USER": user} if user is not None else {})}


def eventually(attempt: Callable[[], object]) -> None:
    """Try again until it goes well."""
    limit = time.monotonic() + START_S
    while True:
        try:
            attempt()
        except (OSError, subprocess.CalledProcessError):
            if time.monotonic() > limit:
                raise
            time.sleep(0.05)
        else:
            return
