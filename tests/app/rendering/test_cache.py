"""The cache's promise under a kill -9 at any of its steps: an entry is whole or absent, and nothing is left."""

import multiprocessing
import shutil
import signal
from pathlib import Path
from unittest import mock

from app.rendering.cache import Cache
from tests.killing import KilledAt

OLD, NEW = b"old" * 1000, b"new" * 1000


def _make_and_die(folder: Path, at_call: int) -> None:
    """Make a file in a private folder, take it in and evict another; be killed at the n-th call that writes."""
    dying = KilledAt(at_call).wrap
    with (
        mock.patch.object(Path, "mkdir", dying(Path.mkdir)),
        mock.patch.object(Path, "replace", dying(Path.replace)),
        mock.patch.object(Path, "unlink", dying(Path.unlink)),
        mock.patch.object(Path, "write_bytes", dying(Path.write_bytes)),
        mock.patch.object(shutil, "rmtree", dying(shutil.rmtree)),
    ):
        cache = Cache(folder, most_bytes=len(NEW))
        making = cache.begin("new")
        with cache.private_folder() as private:
            (private / "part").write_bytes(NEW)
            making.write_bytes((private / "part").read_bytes())
        cache.finish(making, "new")


def test_a_writer_killed_at_any_step_leaves_whole_entries_and_no_rubbish(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    endings = set()
    for at_call in range(1, 12):
        folder = tmp_path / str(at_call)
        first = Cache(folder, most_bytes=10**6)
        made = first.begin("old")
        made.write_bytes(OLD)
        first.finish(made, "old")
        writer = context.Process(target=_make_and_die, args=(folder, at_call))
        writer.start()
        writer.join()
        after = Cache(folder, most_bytes=10**6)
        kept = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert kept.items() <= {"old": OLD, "new": NEW}.items()
        assert kept
        assert {name for name in ("old", "new") if after.find(name)} == kept.keys()
        endings.add((writer.exitcode, tuple(sorted(kept))))
    assert endings >= {(-signal.SIGKILL, ("old",)), (0, ("new",))}
