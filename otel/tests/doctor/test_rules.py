"""Every rule: the traps that it finds, at their lines, and nothing else; what only looks like one."""

import re
import sysconfig
from pathlib import Path

import pytest

from lambda_latency.doctor import RULES, Deployment, diagnose
from lambda_latency.doctor.app import App, read_app
from lambda_latency.doctor.rules.handlers import missing
from lambda_latency.doctor.rules.variables import NAMES
from tests.doctor.apps import ChangedApp, found_in, line_of
from tests.doctor.plants import NEAR, PLANTED

NAMED = re.compile(r"""["'](OTEL_[A-Z0-9_]*[A-Z0-9])["']""")
ROOT = Path(__file__).parents[3]
CASES = {f"{rule}-{number}": (rule, case) for rule, cases in PLANTED.items() for number, case in enumerate(cases, 1)}
NEARLY = {f"{rule}-{number}": case for rule, cases in NEAR.items() for number, case in enumerate(cases, 1)}


def test_each_rule_is_planted_and_nearly_planted() -> None:
    """In the order of the table."""
    names = [rule.name for rule in RULES]
    assert sorted(PLANTED) == sorted(names)
    assert sorted(NEAR) == sorted(names)
    assert len(CASES) >= 120
    assert len(NEARLY) >= 60


@pytest.mark.parametrize(("rule", "changed"), CASES.values(), ids=CASES)
def test_a_trap_is_found_at_its_line(rule: str, changed: ChangedApp, tmp_path: Path) -> None:
    """And nothing else is."""
    findings = found_in(changed, tmp_path)
    assert findings == [(rule, changed.file, line_of(changed, tmp_path))]


@pytest.mark.parametrize("changed", NEARLY.values(), ids=NEARLY)
def test_what_comes_near_is_not_found(changed: ChangedApp, tmp_path: Path) -> None:
    """By no rule."""
    assert found_in(changed, tmp_path) == []


@pytest.mark.parametrize("region", ["", "us-east-1", "eu-west-1", "us-west-1", "ap-southeast-1"])
def test_our_own_template_has_no_finding(region: str) -> None:
    """In any region that it knows."""
    assert diagnose(ROOT / "template.yaml", Deployment(region=region)) == ()


def test_our_own_template_lacks_a_collector_in_one_region() -> None:
    """What `adopt --export daemon` takes out."""
    (finding,) = diagnose(ROOT / "template.yaml", Deployment(region="ap-northeast-3"))
    assert (finding.rule, finding.what) == (
        "layer-unavailable",
        "there is no aws-otel-collector-arm64-ver-0-117-0 in ap-northeast-3",
    )


def test_the_table_has_the_names_in_the_packages() -> None:
    """Those of the SDK, its exporters, its instrumentations, and AWS's distribution, in order."""
    installed = Path(sysconfig.get_path("purelib"))
    files = [file for name in ("opentelemetry", "amazon") for file in (installed / name).rglob("*.py")]
    names = {name for file in files for name in NAMED.findall(file.read_text(encoding="utf-8"))}
    assert NAMES.read_text(encoding="utf-8").split() == sorted(names)


HANDLER = """\
Resources:
  Work:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: NAME, CodeUri: src LAYERS }
"""


def found_handlers(
    folder: Path, handler: str, code: str = "def handler(e, c): ...\n", layers: str = ""
) -> list[tuple[str, str]]:
    (folder / "src" / "pkg").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "app.py").write_text(code)
    (folder / "src" / "pkg" / "__init__.py").write_text("from app import *\n")
    path = folder / "template.yaml"
    path.write_text(HANDLER.replace("NAME", handler).replace(" LAYERS", layers))
    app = read_app(path, Deployment())
    assert isinstance(app, App)
    return [(finding.problem.replace(f"{folder}/", ""), finding.todo) for finding in missing.check(app)]


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        ("app.handler", "def handler(e, c): ...\n"),
        ("app.handler", "from pkg import handle as handler\n"),
        ("app.handler", "if True:\n    handler = lambda e, c: 1\n"),
        ("app.handler", "from pkg import *\n"),
        ("app.handler", "globals()['handler'] = print\n"),
        ("app.handler", "not python("),
        ("pkg.anything", ""),
        ("handler", ""),
    ],
)
def test_a_handler_that_may_be_there_is_not_found(handler: str, code: str, tmp_path: Path) -> None:
    """Defined, imported, assigned, or made in a way that no reading shows."""
    assert found_handlers(tmp_path, handler, code) == []


def test_a_handler_that_is_not_there_is_found_handlers(tmp_path: Path) -> None:
    """With what is meant; a module may be in a layer, a name in a file may not."""
    assert found_handlers(tmp_path, "app.handle") == [("Work: src/app.py has no 'handle'", "did you mean handler?")]
    assert found_handlers(tmp_path, "apps.handler") == [("Work: src/apps.py is not there", "did you mean app?")]
    assert found_handlers(tmp_path, "apps.handler", layers=", Layers: [arn]") == []
    assert found_handlers(tmp_path, "apps.handler", layers=", InlineCode: 'def handler(e, c): ...'") == []
