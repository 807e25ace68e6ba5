"""`make`: set-up in any folder, a broken .venv, arguments of a command. Python and uv are scripts that write down."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p .venv/bin
for name in python uv pytest lambda-latency; do
  printf '#!/bin/sh\\necho "%s $*; VIRTUAL_ENV=$VIRTUAL_ENV" >> calls\\n' $name > .venv/bin/$name
  chmod +x .venv/bin/$name
done
"""
READY = "Ready. The command is .venv/bin/lambda-latency; targets of make find it by themselves."
SET_UP = ["Setting up .venv (once; a few hundred megabytes) ...", READY]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout in a folder whose name has a space, never set up."""
    folder = tmp_path / "my checkout"
    (folder / "requirements").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements/setup.txt", "requirements/dev.txt"):
        shutil.copy(ROOT / name, folder / name)
    python = folder / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return folder


def make(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """Its exit status, and the lines on stderr."""
    unset = ("VIRTUAL_ENV", "MAKEFLAGS", "AWS_DEFAULT_REGION", "ARGS")  # `make test` exports a region, and its ARGS
    env = {name: value for name, value in os.environ.items() if name not in unset}
    command = ["make", "PYTHON=./python", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stderr.splitlines()


def calls(folder: Path, program: str) -> list[str]:
    """What a program of .venv was called with."""
    return [line for line in (folder / "calls").read_text().splitlines() if line.startswith(program)]


def test_a_folder_with_a_space_is_set_up_once(folder: Path) -> None:
    """In its own .venv; the last line says how the command is called, and the next time there is none."""
    assert make(folder, "setup") == (0, SET_UP)
    assert {line.partition("; ")[2] for line in calls(folder, "uv ")} == {f"VIRTUAL_ENV={folder}/.venv"}
    assert make(folder, "setup") == (0, [])


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_command_takes_arguments(folder: Path, command: str) -> None:
    """As `make serve ARGS='--port 3001'`."""
    assert make(folder, command, "ARGS=--port 3001")[0] == 0
    assert calls(folder, "lambda-latency ") == [f"lambda-latency {command} --port 3001; VIRTUAL_ENV="]


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        ([], ["pytest -n 3 --dist loadgroup", "python -m lab pythons"]),
        (["ARGS=otel/tests/doctor"], ["pytest -n 3 --dist loadgroup otel/tests/doctor"]),
        (["""ARGS=-k 'region or "a role"'"""], ['pytest -n 3 --dist loadgroup -k region or "a role"']),
    ],
    ids=["all", "folder", "words"],
)
def test_some_of_the_tests_run_on_one_python(folder: Path, arguments: list[str], run: list[str]) -> None:
    """In two processes as all do, which run on the other Pythons too."""
    make(folder, "setup")
    sources = ("requirements/urllib3-1.26.txt", "otel/lambda_latency/local/cloud/ministack.txt",
               "otel/lambda_latency/local/app/prepare/packages.py")  # fmt: skip
    for name in (*sources, "build/urllib3-1.26", "build/apps/ready"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert make(folder, "test", *arguments) == (0, [])
    done = [line.partition(";")[0] for line in calls(folder, "") if line.startswith(("pytest", "python -m lab"))]
    assert done == run


def test_a_program_of_the_laboratory_is_run_by_its_name(folder: Path) -> None:
    """With options that may have spaces; without a name the programs are listed."""
    assert make(folder, "lab", "NAME=planted", """ARGS=--seeds 1 --cause 'slow provider'""")[0] == 0
    assert make(folder, "lab", "ARGS=") == (0, [])
    assert calls(folder, "python -m lab") == [
        "python -m lab planted --seeds 1 --cause slow provider; VIRTUAL_ENV=",
        "python -m lab; VIRTUAL_ENV=",
    ]


def test_deploy_asks_the_doctor_first(folder: Path) -> None:
    """Before it asks AWS anything; DOCTOR=off leaves it out."""
    make(folder, "setup")
    (folder / ".venv" / "bin" / "sam").write_text('#!/bin/sh\necho "sam $1" >> calls\n')
    (folder / ".venv" / "bin" / "sam").chmod(0o755)
    assert make(folder, "deploy")[0] == 0
    assert make(folder, "deploy", "DOCTOR=off")[0] == 0
    made = [line.partition(";")[0] for line in calls(folder, "") if line.startswith(("sam", "lambda-latency"))]
    assert made == ["sam build", "lambda-latency doctor", "sam deploy", "sam build", "sam deploy"]


@pytest.mark.parametrize(
    ("answer", "made"), [("--region eu-west-3", ["sam build", "sam deploy --region eu-west-3"]), ("", [])]
)
def test_deploy_asks_where_before_anything_else(folder: Path, answer: str, made: list[str]) -> None:
    """Sam is told the region; without a yes nothing is built, and status 2 is make's own."""
    make(folder, "setup")
    bin_ = folder / ".venv" / "bin"
    status = 0 if answer else 2
    (bin_ / "python").write_text(
        f'#!/bin/sh\n[ "$3" != destination ] || {{ echo "$*" >> calls; echo "{answer}"; exit {status}; }}\n'
    )
    (bin_ / "sam").write_text(
        '#!/bin/sh\n[ "$1" = build ] && echo "sam build" >> calls || echo "sam deploy $4 $5" >> calls\n'
    )
    (bin_ / "sam").chmod(0o755)
    assert make(folder, "deploy", "DOCTOR=off", "ENVIRONMENT=dev", "ARGS=--yes")[0] == (0 if answer else 2)
    done = [line for line in calls(folder, "") if line.startswith(("sam", "-m lab"))]
    assert done == ["-m lab destination --config-env dev --yes", *made]


def test_no_region_is_exported_to_deploy_and_prove(folder: Path) -> None:
    """It would win over the profile's; tests and checks have one."""
    make(folder, "setup")
    for name in ("python", "sam", "pytest"):
        (folder / ".venv" / "bin" / name).write_text(f'#!/bin/sh\necho "{name} $1 $3 $AWS_DEFAULT_REGION" >> calls\n')
        (folder / ".venv" / "bin" / name).chmod(0o755)
    make(folder, "deploy", "DOCTOR=off")
    make(folder, "prove")
    logged = [line for line in calls(folder, "") if "VIRTUAL_ENV" not in line and line.startswith(("python -m", "sam"))]
    assert logged == [
        "python -m destination ",
        "sam build  us-east-1",
        "sam deploy default ",
        "python -m prove ",
    ]


def test_a_link_to_another_checkouts_environment_is_used_and_never_emptied(folder: Path) -> None:
    """While it works; else the link alone is removed."""
    make(folder, "setup")
    clone = folder.with_name("other")
    shutil.copytree(folder, clone, ignore=shutil.ignore_patterns(".venv"))
    (clone / ".venv").symlink_to(folder / ".venv")
    assert make(clone, "setup") == (0, [])
    (folder / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    assert make(clone, "setup") == (0, SET_UP)
    assert ((clone / ".venv").is_symlink(), (folder / ".venv" / "bin" / "uv").exists()) == (False, True)


@pytest.mark.parametrize("fault", ["gone", "failing", "moved"])
def test_a_broken_environment_is_made_anew(folder: Path, fault: str) -> None:
    """Its Python was removed or finds no package any more, or the folder has another name now."""
    make(folder, "setup")
    python = folder / ".venv" / "bin" / "python"
    if fault == "gone":
        python.unlink()
        python.symlink_to(folder / "removed")
    elif fault == "failing":
        python.write_text("#!/bin/sh\nexit 1\n")
    else:
        folder = folder.rename(folder.with_name("renamed"))
    assert make(folder, "demo") == (0, SET_UP)
    assert make(folder, "demo") == (0, [])
