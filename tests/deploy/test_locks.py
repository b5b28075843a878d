"""What the locks hold, and what they must never hold."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON_LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NPM_LOCKS = [ROOT / "app/web/package-lock.json", ROOT / "deploy/chromium/package-lock.json"]


def packages(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, *NPM_LOCKS], ids=lambda lock: lock.name)
def test_no_lock_names_a_registry(lock: Path) -> None:
    assert not re.search(r"--(extra-)?index-url|--find-links|\"resolved\"", lock.read_text())


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda lock: lock.name)
def test_torch_is_in_no_lock(lock: Path) -> None:
    assert not packages(lock).keys() & {"torch", "torchvision", "torchaudio"}


def test_a_version_has_the_same_hashes_in_every_lock() -> None:
    """A lock that has others was made elsewhere, and cannot be installed here."""
    found: dict[str, set[frozenset[str]]] = {}
    for lock in PYTHON_LOCKS:
        for name, rest in re.findall(r"^([a-z0-9.-]+==\S+)(.*(?:\n    .*)*)", lock.read_text(), re.MULTILINE):
            found.setdefault(name, set()).add(frozenset(re.findall(r"sha256:(\w+)", rest)))
    assert [name for name, hashes in found.items() if len(hashes) > 1] == []


def test_the_service_needs_no_tensorflow_and_nothing_that_sends_traces() -> None:
    needless = {"tensorflow", "keras", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"}
    assert not packages(ROOT / "requirements/serve.txt").keys() & needless


@pytest.mark.parametrize("lock", ["training", "dev", "cuda", "telemetry"])
def test_a_larger_lock_holds_the_services_versions(lock: str) -> None:
    assert packages(ROOT / "requirements/serve.txt").items() <= packages(ROOT / f"requirements/{lock}.txt").items()


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda lock: lock.parent.name)
def test_an_npm_lock_has_a_hash_for_every_package(lock: Path) -> None:
    locked = json.loads(lock.read_text())["packages"]
    assert [name for name, package in locked.items() if name and "integrity" not in package] == []
