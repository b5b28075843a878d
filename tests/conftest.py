"""Fixtures that several packages' tests share, and how the tests are spread over processes."""

import os
from collections.abc import Iterator

import httpx
import pytest

from model_store.store import Checkpoint, Store
from tests.servers import ROOT, Server, serving

DEFAULT_STORE = ROOT / "model_store" / "checkpoints"

_MAX_PROCESSES = 4
_MEMORY_OF_ONE = 3 * 2**30  # bytes; with TensorFlow in it, and the servers and browsers that it starts
LONGEST = (
    "tests/training/learning/test_workers.py",
    "tests/training/learning/test_train.py",
    "tests/training/evaluation/test_evaluation.py",
    "tests/faults/test_faults.py",
    "tests/deploy/test_release.py",
    "tests/app/generation/test_bulk.py",
    "tests/app/grammar/test_constraint.py",
    "tests/fuzz/test_fuzz.py",
    "tests/app/api/test_preflight.py",
    "tests/web/test_playing.py",
)
"""Files that take the longest; one that is begun last would be waited for by all other processes."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores, if memory allows: tests wait for browsers, timeouts and players."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(len(os.sched_getaffinity(0)) + 1, _MAX_PROCESSES, memory // _MEMORY_OF_ONE))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; processes take files in this order (`--no-loadscope-reorder`)."""
    places = {ROOT / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The service with its default settings and its default model."""
    with serving() as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of that service."""
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    """The committed default model."""
    store = Store(DEFAULT_STORE)
    (name,) = store.names()
    return store.load(name)
