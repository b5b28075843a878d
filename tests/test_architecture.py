"""Who may import whom."""

import ast
from pathlib import Path

import pytest

from tests.servers import ROOT

FORBIDDEN = {
    "app": {"training"},
    "model_store": {"app", "training", "tensorflow", "keras"},
    "training": {"app.api.application", "app.api.generate_routes", "app.api.pages"},
}
TENSORFLOW = {"tensorflow", "keras"}
MAY_USE_TENSORFLOW = {"app/inference/keras_decoder.py"}


def imported_modules(file: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, with its parents."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {".".join(name.split(".")[:depth]) for name in found for depth in range(1, name.count(".") + 2)}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_keeps_to_its_side(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        assert not imported_modules(file) & FORBIDDEN[package], file


def test_the_service_uses_tensorflow_in_one_module_alone() -> None:
    users = {
        str(file.relative_to(ROOT)) for file in (ROOT / "app").rglob("*.py") if imported_modules(file) & TENSORFLOW
    }
    assert users == MAY_USE_TENSORFLOW
