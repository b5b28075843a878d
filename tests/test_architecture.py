"""Who may import whom: the order of the rooms as data, and nothing that is not in it."""

import ast
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import LONGEST
from tests.servers import ROOT

BELOW: dict[str, tuple[str, ...]] = {
    "app.__main__": ("app.cli",),
    "app.cli": ("app.api",),
    "app.api": ("app.generation", "app.rendering", "app.version"),
    "app.generation": ("app.inference",),
    "app.inference": ("app.grammar", "app.operations"),
    "app.grammar": ("app.abc", "model_store"),
    "app.rendering": ("app.interchange", "app.operations"),
    "app.interchange": ("app.abc",),
    "app.abc": ("app.errors",),
    "app.operations": ("app.settings",),
    "app.settings": ("app.errors",),
    "app.errors": (),
    "app.version": (),
    "model_store": (),
    "training.__main__": ("training.cli",),
    "training.cli": ("training.publishing",),
    "training.publishing": ("training.evaluation",),
    "training.evaluation": ("training.learning", "app.generation", "app.rendering"),
    "training.learning": ("training.corpora", "model_store"),
    "training.corpora": ("training.dialect", "model_store"),
    "training.dialect": ("training.errors", "training.atomic_file", "app.interchange"),
    "training.atomic_file": (),
    "training.errors": (),
}
"""Each room and those right below it; a module imports from its own room and from all that are below, at any depth."""

EXCEPTIONS = {
    ("training.corpora.corpus_report", "training.evaluation.abc2midi_check"): "how many tunes abc2midi finds clean",
    ("training.learning.train", "training.evaluation.heldout_loss"): "the loss after each epoch",
    ("training.learning.model", "app.inference.keras_network"): "what learns is the network of the keras decoder",
    ("training.evaluation.candidate", "training.publishing.export"): "a run is judged by the decoder it would have",
    ("training.evaluation.candidate", "training.publishing.tune_index"): "and by the tunes it would be held against",
    ("training.evaluation.candidate", "training.publishing.lexicon"): "and held to the titles it would have",
    ("training.evaluation.candidate", "training.publishing.plans"): "and its tunes to the plans it would have",
    ("training.evaluation.evaluate", "training.publishing.export"): "a run is judged by the decoder it would have",
    ("training.evaluation.sample", "training.publishing.export"): "so are its samples drawn",
}
"""Importer and imported, and why this once."""

RESERVED = {
    ("app", "tensorflow"): ("app.inference.keras_decoder",),
    ("app", "keras"): ("app.inference.keras_network",),
    ("model_store", "tensorflow"): (),
    ("model_store", "keras"): (),
    ("app", "fastapi"): ("app.api", "app.operations.tracing"),
    ("app", "starlette"): ("app.api", "app.operations.tracing"),
    ("app", "uvicorn"): ("app.api",),
    ("app", "http"): ("app.api",),
}
"""Of a package, what a library is used by alone."""

OPTIONAL: set[str] = {"tensorflow", "keras", "music21"}
"""Imported where they are asked for alone."""

NO_CODE = ("web", "checkpoints", "__pycache__")


@dataclass(frozen=True)
class Import:
    """One import statement's, wherever in a file it stands."""

    importer: str
    imported: str

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"


@cache
def rooms_below(room: str) -> frozenset[str]:
    """All rooms below one."""
    return frozenset(BELOW[room]).union(*(rooms_below(below) for below in BELOW[room]))


def room_of(module: str) -> str | None:
    """The room that a module stands in."""
    found = [room for room in BELOW if module == room or module.startswith(room + ".")]
    return max(found, key=len, default=None)


def modules_of(root: Path) -> dict[str, Path]:
    """Every module of the packages that have rooms, by its dotted name."""
    found: dict[str, Path] = {}
    for package in sorted({room.split(".")[0] for room in BELOW}):
        for folder, folders, files in os.walk(root / package):
            folders[:] = [name for name in folders if name not in NO_CODE]
            for file in (Path(folder) / name for name in files if name.endswith(".py")):
                found[".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = file
    return found


@cache
def statements_of(text: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Every import statement of a file, in a function or for types alone too."""
    return tuple(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom))


def imports_of(modules: dict[str, Path]) -> Iterator[Import]:
    """Every import in these files; `from a import b` is of a.b where that is a module or a room."""
    for module, file in modules.items():
        package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
        for statement in statements_of(file.read_text("utf-8")):
            if isinstance(statement, ast.Import):
                yield from (Import(module, alias.name) for alias in statement.names)
                continue
            above = package[: len(package) - statement.level + 1] if statement.level else []
            source = ".".join([*above, *([statement.module] if statement.module else [])])
            for inner in (f"{source}.{alias.name}" for alias in statement.names):
                yield Import(module, inner if inner in modules or inner in BELOW else source)


def violations(root: Path) -> list[str]:
    """What breaks the order in a tree."""
    modules = modules_of(root)
    found = [f"{module} stands in no room" for module in modules if "." in module and room_of(module) is None]
    imports = list(imports_of(modules))
    found += [str(each) for each in imports if not (_is_in_order(each) or _is_exception(each)) or _is_reserved(each)]
    return found + _cycles(imports, modules)


def _is_exception(each: Import) -> bool:
    return (each.importer, each.imported) in EXCEPTIONS


def _is_in_order(each: Import) -> bool:
    if each.imported.split(".")[0] not in {room.split(".")[0] for room in BELOW}:
        return True
    above, below = room_of(each.importer), room_of(each.imported)
    return above is not None and below is not None and (above == below or below in rooms_below(above))


def _is_reserved(each: Import) -> bool:
    package, library = each.importer.split(".")[0], each.imported.split(".")[0]
    users = RESERVED.get((package, library))
    return users is not None and not any(
        each.importer == user or each.importer.startswith(user + ".") for user in users
    )


def _cycles(imports: list[Import], modules: dict[str, Path]) -> list[str]:
    """A cycle of modules, if there is one; imports that are for types alone, or stand in a function, count too."""
    graph: dict[str, set[str]] = {module: set() for module in modules}
    for each in imports:
        if each.imported in modules and each.imported != each.importer:
            graph[each.importer].add(each.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return ["a cycle: " + " → ".join(reversed(error.args[1]))]
    return []


def test_every_import_keeps_to_the_order_of_the_rooms() -> None:
    assert violations(ROOT) == []


def test_every_exception_is_in_use() -> None:
    used = {(each.importer, each.imported) for each in imports_of(modules_of(ROOT))}
    assert set(EXCEPTIONS) <= used


def test_every_room_is_there() -> None:
    modules = modules_of(ROOT)
    assert {room for room in BELOW if not any(room_of(module) == room for module in modules)} == set()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to plant imports in."""
    copied = tmp_path_factory.mktemp("tree")
    for package in ("app", "model_store", "training"):
        shutil.copytree(ROOT / package, copied / package, ignore=shutil.ignore_patterns(*NO_CODE))
    return copied


@contextmanager
def planted(file: Path, line: str) -> Iterator[None]:
    """A line at the end of a file, which may be new; taken out again afterwards."""
    before = file.read_text("utf-8") if file.exists() else None
    file.write_text(f"{before or ''}\n{line}\n", "utf-8")
    yield
    if before is None:
        file.unlink()
    else:
        file.write_text(before, "utf-8")


UPWARDS = [
    ("app.grammar.ticks", "from app.generation.jobs import MAX_SEED", "app.generation.jobs"),
    ("app.abc.tokens", "import app.grammar.pitch", "app.grammar.pitch"),
    ("app.generation.bulk", "from app.api.schemas.base import Seed", "app.api.schemas.base"),
    ("app.inference.batch", "def f():\n    import app.api.pages", "app.api.pages"),
    ("app.inference.engine", "if TYPE_CHECKING:\n    from app import __main__", "app.__main__"),
    ("training.dialect.header", "from training.corpora import book", "training.corpora.book"),
    ("training.learning.model", "from training.publishing import export", "training.publishing.export"),
]
SIDEWAYS = [
    ("app.errors", "from app import settings", "app.settings"),
    ("app.generation.bulk", "from app.rendering import sandbox", "app.rendering.sandbox"),
    ("app.rendering.cache", "from app import generation", "app.generation"),
    ("app.rendering.cache", "from ..inference import engine", "app.inference.engine"),
    ("app.abc.tokens", "from app.operations.logs import REQUEST_ID", "app.operations.logs"),
    ("app.operations.logs", "import training", "training"),
    ("training.publishing.export", "from app.api import application", "app.api.application"),
    ("model_store.store", "from app.errors import Fault", "app.errors"),
    ("model_store.store", "from training.errors import ConfigError", "training.errors"),
]
RESERVED_FOR_OTHERS = [
    ("model_store.store", "import keras.layers", "keras.layers"),
    ("app.inference.decoder", "import tensorflow as tf", "tensorflow"),
    ("app.errors", "from http import HTTPStatus", "http"),
]


@pytest.mark.parametrize(("importer", "line", "imported"), UPWARDS + SIDEWAYS + RESERVED_FOR_OTHERS)
def test_a_planted_import_is_found(tree: Path, importer: str, line: str, imported: str) -> None:
    with planted(modules_of(tree)[importer], line):
        assert f"{importer} imports {imported}" in violations(tree)
    assert violations(tree) == []


def test_a_module_without_a_room_is_found(tree: Path) -> None:
    with planted(tree / "app" / "utils.py", ""):
        assert violations(tree) == ["app.utils stands in no room"]


def test_a_cycle_within_a_room_is_found(tree: Path) -> None:
    with planted(tree / "app" / "grammar" / "automaton.py", "from app.grammar import cursor"):
        (found,) = violations(tree)
    assert found.startswith("a cycle: ")
    assert {"app.grammar.automaton", "app.grammar.cursor"} <= set(found.removeprefix("a cycle: ").split(" → "))


def declared(table: str) -> set[str]:
    """The distributions that pyproject.toml declares for the service, or for an extra of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] if table == "service" else project["optional-dependencies"][table]
    return {re.split(r"[\[><=~! ]", requirement)[0].lower().replace("_", "-") for requirement in wanted}


@pytest.mark.parametrize(
    ("packages", "tables"),
    [({"app", "model_store"}, ["service", "telemetry"]), ({"training"}, ["service", "train"])],
)
def test_every_library_that_is_imported_is_declared(packages: set[str], tables: list[str]) -> None:
    """Of what a library brings along, nothing says that its next version still does."""
    distributions = packages_distributions()
    own = {room.split(".")[0] for room in BELOW} | set(sys.stdlib_module_names)
    wanted = set().union(*map(declared, tables))
    lacking = set()
    for each in imports_of(modules_of(ROOT)):
        library = each.imported.split(".")[0]
        if each.importer.split(".")[0] in packages and library not in own:
            found = {name.lower().replace("_", "-") for name in distributions.get(library, [library])}
            if not (found & wanted or library in OPTIONAL):
                lacking.add(f"{each.importer}: {library}")
    assert lacking == set()


def test_the_files_that_the_tests_begin_with_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []
