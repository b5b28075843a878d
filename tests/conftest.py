"""Fixtures that several packages' tests share."""

from collections.abc import Iterator

import httpx
import pytest

from model_store.store import Checkpoint, Store
from tests.servers import ROOT, Server, serving

DEFAULT_STORE = ROOT / "model_store" / "checkpoints"


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
