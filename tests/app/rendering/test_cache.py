"""The cache's promises: bounds, its folder, whole files alone, and under a kill -9 at any step an entry or none."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from app.rendering import seal
from app.rendering.cache import Cache, CacheFolderError, key_of
from tests.killing import KilledAt

OLD, NEW = b"old" * 1000, b"new" * 1000
AMPLE = 10**9


def name_of(what: object) -> str:
    return f"{key_of({'of': what})}.bin"


def put(cache: Cache, what: object, content: bytes) -> None:
    """Make a file and take it in."""
    made = cache.begin(name_of(what))
    made.write_bytes(content)
    seal.add(made, name_of(what))
    cache.finish(made, name_of(what))
    cache.settle()


def content_of(cache: Cache, what: object) -> bytes | None:
    if (kept := cache.open(name_of(what))) is None:
        return None
    with kept.file as file:
        return file.read(kept.length)


@pytest.fixture
def block(tmp_path: Path) -> int:
    """What a small file takes of the disk here."""
    file = tmp_path / "file"
    file.write_bytes(bytes(1000))
    status = file.stat()
    return max(status.st_blocks * 512, 1000)


def _make_and_die(folder: Path, at_call: int) -> None:
    """Make a file in a private folder, take it in and evict another; be killed at the n-th call that writes."""
    dying = KilledAt(at_call).wrap
    with (
        mock.patch.object(Path, "mkdir", dying(Path.mkdir)),
        mock.patch.object(Path, "replace", dying(Path.replace)),
        mock.patch.object(Path, "unlink", dying(Path.unlink)),
        mock.patch.object(Path, "write_bytes", dying(Path.write_bytes)),
        mock.patch.object(os, "utime", dying(os.utime)),
        mock.patch.object(seal, "add", dying(seal.add)),
        mock.patch.object(shutil, "rmtree", dying(shutil.rmtree)),
    ):
        cache = Cache(folder, AMPLE, max_entries=1)
        making = cache.begin(name_of("new"))
        with cache.private_folder() as private:
            (private / "part").write_bytes(NEW)
            making.write_bytes((private / "part").read_bytes())
        seal.add(making, name_of("new"))
        cache.finish(making, name_of("new"))
        cache.settle()


def test_a_writer_killed_at_any_step_leaves_whole_entries_and_no_rubbish(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    endings = set()
    for at_call in range(1, 14):
        folder = tmp_path / str(at_call)
        put(Cache(folder, AMPLE), "old", OLD)
        writer = context.Process(target=_make_and_die, args=(folder, at_call))
        writer.start()
        writer.join()
        after = Cache(folder, AMPLE)
        after.settle()
        kept = {what: content_of(after, what) for what in ("old", "new") if after.has(name_of(what))}
        assert {path.name for path in folder.iterdir()} == {name_of(what) for what in kept}
        assert kept.items() <= {"old": OLD, "new": NEW}.items()
        assert kept
        endings.add((writer.exitcode, tuple(sorted(kept))))
    assert endings >= {(-signal.SIGKILL, ("old",)), (-signal.SIGKILL, ("new", "old")), (0, ("new",))}


def test_the_least_recently_used_is_evicted_first(tmp_path: Path, block: int) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder, 3 * block)
    for number in range(4):
        put(cache, number, bytes(900))
        if number == 2:
            assert content_of(cache, 0) == bytes(900)
    assert {path.name for path in folder.iterdir()} == {name_of(0), name_of(3)}  # nine tenths of three, so two


def test_many_small_files_count_as_the_blocks_that_they_take(tmp_path: Path, block: int) -> None:
    if block < 2000:
        pytest.skip("this file system packs small files together")
    folder = tmp_path / "cache"
    cache = Cache(folder, 10 * block)
    for number in range(30):
        put(cache, number, b"x")
    assert 0 < len(list(folder.iterdir())) <= 10


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder, AMPLE, max_entries=10)
    for number in range(30):
        put(cache, number, b"x")
    kept = {path.name for path in folder.iterdir()}
    assert 9 <= len(kept) <= 10
    assert kept == {name_of(number) for number in range(30 - len(kept), 30)}


def test_one_file_is_kept_however_large_it_is_unless_nothing_is_to_be(tmp_path: Path) -> None:
    for max_bytes, left in ((1, 1), (0, 0)):
        folder = tmp_path / str(max_bytes)
        cache = Cache(folder, max_bytes)
        for number in range(3):
            put(cache, number, bytes(5000))
        assert len(list(folder.iterdir())) == left


def test_a_bound_that_became_smaller_holds_from_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    before = Cache(folder, AMPLE)
    for number in range(20):
        put(before, number, b"x")
    Cache(folder, AMPLE, max_entries=10).settle()
    assert {path.name for path in folder.iterdir()} == {name_of(number) for number in range(11, 20)}


def test_what_another_service_put_there_counts_too(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    one, other = Cache(folder, AMPLE, max_entries=10), Cache(folder, AMPLE, max_entries=10)
    for cache in (one, other):
        for number in range(10):
            put(cache, (id(cache), number), b"x")
    put(other, "one more", b"x")
    assert len(list(folder.iterdir())) <= 10


def test_half_of_the_cache_is_evicted_when_the_disk_is_full(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder, AMPLE)
    for number in range(10):
        put(cache, number, bytes(1000))
    cache.make_room()
    cache.settle()
    assert {path.name for path in folder.iterdir()} == {name_of(number) for number in range(5, 10)}


def test_files_with_other_names_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder, 0)
    (folder / "letter.txt").write_text("Dear")
    (folder / "folder").mkdir()
    put(cache, 1, b"x")
    cache.make_room()
    cache.settle()
    assert {path.name for path in folder.iterdir()} == {"letter.txt", "folder"}


def test_an_unfinished_file_is_no_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", AMPLE)
    made = cache.begin(name_of(1))
    made.write_bytes(b"half")
    assert not cache.has(name_of(1))
    assert cache.open(name_of(1)) is None
    cache.discard(made)
    assert not list((tmp_path / "cache").iterdir())


def cut(content: bytes) -> bytes:
    return content[:-100]


def cut_to_nothing(_: bytes) -> bytes:
    return b""


def zero_the_end(content: bytes) -> bytes:
    return content[:2000] + bytes(len(content) - 2000)


def flip_a_bit(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


def lengthen(content: bytes) -> bytes:
    return content + b"\0"


@pytest.mark.parametrize("spoil", [cut, cut_to_nothing, zero_the_end, flip_a_bit, lengthen])
@pytest.mark.parametrize("is_new", [True, False], ids=["found at the start", "altered while it runs"])
def test_a_corrupt_file_is_not_served(
    tmp_path: Path, spoil: Callable[[bytes], bytes], *, is_new: bool, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder, AMPLE)
    put(cache, 1, OLD)
    assert content_of(cache, 1) == OLD
    path = folder / name_of(1)
    path.write_bytes(spoil(path.read_bytes()))
    cache = Cache(folder, AMPLE) if is_new else cache
    assert cache.open(name_of(1)) is None
    assert not path.exists()
    assert "removed a corrupt file from the cache" in caplog.text
    put(cache, 1, NEW)
    assert content_of(cache, 1) == NEW


def test_a_renamed_file_is_not_served(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", AMPLE)
    put(cache, 1, OLD)
    (tmp_path / "cache" / name_of(1)).rename(tmp_path / "cache" / name_of(2))
    assert cache.open(name_of(2)) is None


def test_its_folder_is_created_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Cache(tmp_path / "a" / "cache", AMPLE)
    finally:
        os.umask(before)
    assert (tmp_path / "a" / "cache").stat().st_mode & 0o777 == 0o700


def open_to_others(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o750)


def somebody_elses(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    try:
        os.chown(folder, 61_803, -1)
    except PermissionError:
        pytest.skip("only root gives folders away")


def a_link(folder: Path) -> None:
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def a_file(folder: Path) -> None:
    folder.touch()


@pytest.mark.parametrize(
    ("make", "why"),
    [(open_to_others, "mode 0750"), (somebody_elses, "user 61803"), (a_link, "symbolic link"), (a_file, "no folder")],
)
def test_a_folder_that_is_not_private_is_refused(tmp_path: Path, make: Callable[[Path], None], why: str) -> None:
    make(tmp_path / "cache")
    with pytest.raises(CacheFolderError, match=f"LILT_CACHE={tmp_path / 'cache'}: .*{why}"):
        Cache(tmp_path / "cache", AMPLE)
