"""What operators load: alert rules, boards, containers and units name what the service really has, and are well-formed.

Tools of other makes judge them where `deploy/manifests.sh` has set them up, as `make test` does.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.servers import ROOT

DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".cache/manifests"
RULES = (DEPLOY / "monitor/alerts.yml").read_text("utf-8")
BOARD = json.loads((DEPLOY / "monitor/grafana/lilt.json").read_text("utf-8"))
METRIC = re.compile(r"\b(?:lilt|http|process)_[a-z_]+\b")


def expressions_of_rules() -> str:
    return "\n".join(re.findall(r"^        expr: (\|\n(?:          .*\n)+|.*\n)", RULES, re.MULTILINE))


def expressions_of_board() -> str:
    return "\n".join(target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", []))


def family(name: str) -> str:
    return re.sub(r"_(total|bucket|sum|count|info)$", "", name)


def test_every_metric_of_rules_and_board_is_one_that_the_service_has(client: httpx.Client) -> None:
    client.post("/generate", json={"seed": 1})
    served = {family(name) for name in re.findall(r"^# TYPE (\S+)", client.get("/metrics").text, re.MULTILINE)}
    asked = {family(name) for name in METRIC.findall(expressions_of_rules() + expressions_of_board())}
    assert len(asked) > 15
    assert asked <= served


def test_what_is_alerted_on_is_on_the_board() -> None:
    only_in_rules = {"process_open_fds", "process_max_fds"}
    assert set(METRIC.findall(expressions_of_rules())) - only_in_rules <= set(METRIC.findall(expressions_of_board()))


def test_every_alert_is_tested_explained_and_has_a_severity() -> None:
    names = re.findall(r"- alert: (\w+)", RULES)
    cases = (DEPLOY / "monitor/alerts_test.yml").read_text("utf-8")
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    assert names
    for name in names:
        assert f"alertname: {name}," in cases
        assert f'alertname="{name}"' in cases
        assert f"`{name}`" in page
    assert len(re.findall(r"severity: (?:page|ticket)", RULES.split("groups:")[1])) == len(names)


def tool(name: str) -> str:
    found = next((TOOLS / folder / name for folder in ("bin", "venv/bin") if (TOOLS / folder / name).is_file()), None)
    path = str(found) if found else shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed; `deploy/manifests.sh` brings it")
    return path


def judged(*command: str, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_prometheus_loads_the_rules_and_they_fire_when_they_should() -> None:
    promtool = tool("promtool")
    assert "11 rules found" in judged(promtool, "check", "config", "prometheus.yml", folder=DEPLOY / "monitor")
    assert "SUCCESS" in judged(promtool, "test", "rules", "alerts_test.yml", folder=DEPLOY / "monitor")


def test_compose_takes_its_file_with_every_profile() -> None:
    told = judged(tool("docker-compose"), "--profile", "*", "config", "--format", "json")
    services = json.loads(told)["services"]
    assert {"api", "public", "tls", "train", "train-cpu", "models", "prometheus", "grafana"} <= services.keys()
    for name, service in services.items():
        assert service["logging"]["options"]["max-size"], name
        assert service["read_only"], name


def test_caddy_takes_its_file() -> None:
    judged(tool("caddy"), "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "tls/Caddyfile"))


def test_kubernetes_knows_every_resource() -> None:
    validate = tool("kubernetes-validate")
    listed = re.search(r"^resources: \[(.*)\]", (DEPLOY / "kubernetes/kustomization.yaml").read_text(), re.MULTILINE)
    assert listed
    files = listed[1].split(", ")
    assert {*files, "kustomization.yaml"} == {file.name for file in (DEPLOY / "kubernetes").iterdir()}
    judged(validate, "--strict", *files, folder=DEPLOY / "kubernetes")


def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "systemd/lilt.service").read_text("utf-8").replace("/opt/lilt/bin/lilt", "/bin/true")
    (tmp_path / "lilt.service").write_text(unit)
    assert judged(tool("systemd-analyze"), "verify", str(tmp_path / "lilt.service")) == ""
