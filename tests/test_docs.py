"""README and docs name only what there is: settings, `make` targets, commands, options, containers, modules, files."""

import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import click
import httpx
import pytest

from app.cli.main import group
from app.settings import NOT_SETTINGS, Settings, variable
from tests.servers import ROOT, environment

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
SETTINGS = {variable(field) for field in Settings.model_fields}
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
OWN_MODULES = ("app", "benchmarks", "model_store", "tests", "training")
ROOMS = (*OWN_MODULES, "deploy")
CODE = re.compile(r"```(?:sh|console)\n(.*?)```|`([^`\n]+(?:\n[^`\n]+)?)`", re.DOTALL)
METRIC = re.compile(r"`((?:lilt|http)_[a-z_]+)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def commands(page: Path) -> list[str]:
    """The lines of its code, without comments, continued lines as one."""
    code = "\n".join(block or " ".join(span.split()) for block, span in CODE.findall(page.read_text("utf-8")))
    return [re.sub(r"\s#\s.*", "", line) for line in code.replace("\\\n", " ").splitlines()]


def named(pattern: str, page: Path) -> list[str]:
    return [found for line in commands(page) for found in re.findall(pattern, line)]


@cache
def targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_target_container_and_module_that_a_page_names_is_there(page: Path) -> None:
    variables = set(re.findall(r"\bLILT_[A-Z_]*[A-Z]\b(?!_)", page.read_text("utf-8")))
    assert variables <= SETTINGS | NOT_SETTINGS
    assert set(named(r"(?:^|[ ;&])make ([a-z]+)\b", page)) <= targets()
    services = set(re.findall(r"^  ([a-z-]+):$", COMPOSE.partition("\nvolumes:")[0], re.MULTILINE))
    profiles = set(re.findall(r"profiles: \[([a-z]+)\]", COMPOSE))
    assert set(named(r"docker compose .*--profile ([a-z]+)", page)) <= profiles
    containers = named(
        r"docker compose .*\b(?:run --rm|up -d|restart|build)(?: --entrypoint \S+)? ([a-z][a-z-]*)", page
    )
    assert set(containers) <= services
    for module in named(r"python -m ([a-z_.]+)", page):
        if module.partition(".")[0] in OWN_MODULES:
            assert find_spec(module), module


@cache
def help_of(*words: str) -> str:
    command = [sys.executable, "-m", "app", *words, "--help"]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_that_a_page_names_is_there(page: Path) -> None:
    with click.Context(group) as context:
        known = group.list_commands(context)
    for name, rest in re.findall(
        r"(?:^|[ /|])(?:lilt|python -m training) ([a-z]+)\b([^|&;\n]*)", "\n".join(commands(page)), re.MULTILINE
    ):
        assert name in known, name
        asked = [name, *re.findall(r"\b(?:list|rollback|copy)\b", rest)[:1]] if name == "store" else [name]
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert re.search(rf"{option}\b", help_of(name) + help_of(*asked)), f"lilt {name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text("utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        if anchor and target.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_page_on_deploying_has_every_setting() -> None:
    assert set(re.findall(r"`(LILT_[A-Z_]+)`", (ROOT / "docs" / "deploy.md").read_text("utf-8"))) >= SETTINGS


def test_the_metrics_that_operators_read_of_are_those_that_there_are(client: httpx.Client) -> None:
    table = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## Metrics")[2].partition("## Traces")[0]
    named = {found for row in table.splitlines() if row.startswith("|") for found in METRIC.findall(row.split("|")[1])}
    served = set(re.findall(r"^# TYPE (\S+?)(?:_total)? ", client.get("/metrics").text, re.MULTILINE))
    own = {name for name in served if name.startswith(("lilt_", "http_")) and not name.endswith("_created")}
    assert {name.removesuffix("_total") for name in named} == own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_source_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"`([\w./-]*\w\.(?:py|sh))`", page.read_text("utf-8")))
    sources = [f"/{found}" for room in ROOMS for found in (ROOT / room).glob("**/*.[ps][yh]")] if named else []
    assert [name for name in named if not any(source.endswith(f"/{name}") for source in sources)] == []
