"""Versions are complete or absent, verified when loaded, and can be rolled back."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from model_store.errors import (
    CheckpointNotFoundError,
    InvalidCheckpointError,
    NewerFormatError,
    PublishError,
    StoreError,
)
from model_store.manifest import Draft, ModelConfig
from model_store.store import Store, Tensors
from tests.killing import KilledAt

MODEL = ModelConfig(vocab_size=3, embedding_dim=2, lstm_units=4)
FILES = {"decoder.tflite": b"graph", "README.md": b"# A model\n"}


def draft(name: str = "tiny") -> Draft:
    return Draft(name=name, model=MODEL, vocabulary="abc", corpora=(), training={"seed": 1}, metrics={}, libraries={})


def weights(value: float = 1.0) -> Tensors:
    return {name: np.full(shape, value, np.float32) for name, shape in MODEL.weight_shapes().items()}


def store_with(folder: Path, versions: int) -> Store:
    store = Store(folder)
    for version in range(1, versions + 1):
        store.publish(draft(), weights(version), FILES)
    return store


def test_what_is_published_is_loaded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    published = store.publish(draft(), weights(0.5), FILES)
    loaded = Store(tmp_path).load("tiny")
    assert loaded.manifest == published.manifest
    assert loaded.manifest.version == 1
    assert loaded.vocabulary.characters == "abc"
    assert loaded.path("README.md").read_bytes() == FILES["README.md"]
    assert all((loaded.weights()[name] == 0.5).all() for name in MODEL.weight_shapes())


def test_versions_count_up_and_the_newest_is_current(tmp_path: Path) -> None:
    store = store_with(tmp_path, 12)
    assert store.versions("tiny") == list(range(1, 13))
    assert store.load("tiny").manifest.version == 12
    assert store.load("tiny", 2).weights()["dense/bias"][0] == 2
    assert store.names() == ["tiny"]


def test_rollback_goes_one_back_or_to_a_named_version(tmp_path: Path) -> None:
    store = store_with(tmp_path, 3)
    assert store.rollback("tiny").manifest.version == 2
    assert store.rollback("tiny").manifest.version == 1
    assert store.current("tiny") == 1
    with pytest.raises(CheckpointNotFoundError, match="no version earlier than 1"):
        store.rollback("tiny")
    assert store.rollback("tiny", 3).manifest.version == store.current("tiny") == 3
    assert store.publish(draft(), weights(), FILES).manifest.version == store.current("tiny") == 4


def test_rollback_to_a_bad_version_changes_nothing(tmp_path: Path) -> None:
    store = store_with(tmp_path, 2)
    (tmp_path / "tiny" / "1" / "decoder.tflite").unlink()
    with pytest.raises(InvalidCheckpointError):
        store.rollback("tiny")
    assert store.current("tiny") == 2


@pytest.mark.parametrize("file", ["weights.safetensors", "decoder.tflite", "README.md", "manifest.json"])
@pytest.mark.parametrize("spoil", ["truncate", "alter", "remove", "empty"])
def test_a_corrupt_file_is_found_and_named(tmp_path: Path, file: str, spoil: str) -> None:
    store = store_with(tmp_path, 1)
    path = tmp_path / "tiny" / "1" / file
    content = path.read_bytes()
    match spoil:
        case "truncate":
            path.write_bytes(content[:-1] if file != "manifest.json" else content[:-3])
        case "alter":
            path.write_bytes(content.replace(content[2:3], b"#", 1))
        case "remove":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
    with pytest.raises(InvalidCheckpointError, match=f"tiny/1/{file}"):
        store.load("tiny")


def test_every_field_of_the_manifest_is_guarded(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    path = tmp_path / "tiny" / "1" / "manifest.json"
    manifest = json.loads(path.read_text())
    for field in manifest.keys() - {"format_version"}:
        path.write_text(json.dumps({key: value for key, value in manifest.items() if key != field}))
        with pytest.raises(InvalidCheckpointError, match=r"manifest\.json"):
            store.load("tiny")


def test_a_newer_format_is_said_to_be_newer(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    path = tmp_path / "tiny" / "1" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 3}))
    with pytest.raises(NewerFormatError, match="format 3 is newer"):
        store.load("tiny")


def test_a_version_put_under_another_number_or_name_is_refused(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    (tmp_path / "tiny" / "1").rename(tmp_path / "tiny" / "7")
    (tmp_path / "tiny" / "current").unlink()
    with pytest.raises(InvalidCheckpointError, match="is the manifest of tiny/1"):
        store.load("tiny")


def test_the_last_good_version_stands_in_for_a_bad_one(tmp_path: Path) -> None:
    store = store_with(tmp_path, 3)
    assert store.load_last_good("tiny")[1] is None
    for version in (3, 2):
        (tmp_path / "tiny" / str(version) / "weights.safetensors").write_bytes(b"")
    checkpoint, fault = store.load_last_good("tiny")
    assert checkpoint.manifest.version == 1
    assert "tiny/3/weights.safetensors" in str(fault)
    (tmp_path / "tiny" / "1" / "weights.safetensors").write_bytes(b"")
    with pytest.raises(InvalidCheckpointError, match=r"tiny/3/weights\.safetensors"):
        store.load_last_good("tiny")


def test_a_pointer_to_nothing_falls_back_and_is_named(tmp_path: Path) -> None:
    store = store_with(tmp_path, 2)
    (tmp_path / "tiny" / "current").write_text("9\n")
    with pytest.raises(InvalidCheckpointError, match="tiny/current"):
        store.load("tiny")
    assert store.load_last_good("tiny")[0].manifest.version == 2


def test_what_is_not_there_is_said_with_what_is(tmp_path: Path) -> None:
    store = store_with(tmp_path, 1)
    with pytest.raises(CheckpointNotFoundError, match="it has: tiny"):
        store.load("other")
    with pytest.raises(CheckpointNotFoundError, match="no version 5"):
        store.load("tiny", 5)
    with pytest.raises(CheckpointNotFoundError, match="no such folder"):
        Store(tmp_path / "nowhere").names()
    assert Store(tmp_path / "tiny").names() == []


@pytest.mark.parametrize("missing", ["decoder.tflite", "README.md"])
def test_an_incomplete_checkpoint_cannot_be_published(tmp_path: Path, missing: str) -> None:
    store = Store(tmp_path)
    with pytest.raises(PublishError, match=missing):
        store.publish(draft(), weights(), {name: content for name, content in FILES.items() if name != missing})
    assert store.names() == []


def test_weights_that_are_not_the_models_cannot_be_published(tmp_path: Path) -> None:
    wrong = weights() | {"dense/bias": np.zeros(5, np.float32)}
    with pytest.raises(PublishError, match="dense/bias"):
        Store(tmp_path).publish(draft(), wrong, FILES)
    with pytest.raises(PublishError, match="embedding"):
        Store(tmp_path).publish(draft(), {k: v for k, v in weights().items() if k != "embedding"}, FILES)


def _publish(folder: str, count: int) -> None:
    for _ in range(count):
        Store(folder).publish(draft(), weights(), FILES)


def test_two_publishers_never_share_a_version(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    publishers = [context.Process(target=_publish, args=(str(tmp_path), 5)) for _ in range(2)]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()
    assert Store(tmp_path).versions("tiny") == list(range(1, 11))
    assert all(Store(tmp_path).load("tiny", version) for version in range(1, 11))


def _publish_and_die(folder: str, at_call: int) -> None:
    """Publish, and be killed with -9 at the n-th call that reaches for the disk."""
    dying = KilledAt(at_call).wrap
    with (
        mock.patch("os.fsync", dying(os.fsync)),
        mock.patch.object(Path, "rename", dying(Path.rename)),
        mock.patch.object(Path, "replace", dying(Path.replace)),
    ):
        Store(folder).publish(draft(), weights(2.0), FILES)


def test_a_publisher_killed_at_any_step_leaves_old_or_new_and_no_rubbish(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    outcomes = set()
    for at_call in range(1, 20):
        folder = tmp_path / str(at_call)
        store = store_with(folder, 1)
        publisher = context.Process(target=_publish_and_die, args=(str(folder), at_call))
        publisher.start()
        publisher.join()
        version = store.load("tiny").manifest.version
        assert store.load("tiny").weights()["dense/bias"][0] == version
        outcomes.add((publisher.exitcode, version))
        next_version = store.publish(draft(), weights(), FILES).manifest.version
        assert store.load("tiny").manifest.version == next_version
        assert sorted(entry.name for entry in (folder / "tiny").iterdir() if entry.is_dir()) == [
            str(v) for v in range(1, next_version + 1)
        ]
    assert outcomes == {(-signal.SIGKILL, 1), (-signal.SIGKILL, 2), (0, 2)}


def test_every_error_is_a_store_error() -> None:
    for error in (CheckpointNotFoundError, InvalidCheckpointError, NewerFormatError, PublishError):
        assert issubclass(error, StoreError)


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "model_store", "--store", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_lists_what_there_is_and_rolls_back(tmp_path: Path) -> None:
    store_with(tmp_path, 3)
    (tmp_path / "tiny" / "2" / "weights.safetensors").write_bytes(b"")
    first, second, third = command(tmp_path, "list").stdout.splitlines()
    assert first.startswith("tiny/1 20")
    assert "cannot be used: tiny/2/weights.safetensors: 0 bytes" in second
    assert third.endswith("(current)")
    refused = command(tmp_path, "rollback", "tiny")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "tiny/2/weights.safetensors" in refused.stderr
    assert command(tmp_path, "rollback", "tiny", "1").stdout == "current is tiny/1\n"
    assert Store(tmp_path).current("tiny") == 1


def test_a_copy_brings_what_is_missing_and_follows_what_was_in_use(tmp_path: Path) -> None:
    shipped, volume = store_with(tmp_path / "shipped", 2), Store(tmp_path / "volume")
    assert (volume.copy(shipped, "tiny").versions, volume.current("tiny")) == ((1, 2), 2)
    assert volume.load("tiny", 2).manifest == shipped.load("tiny", 2).manifest
    assert volume.copy(shipped, "tiny").versions == ()
    shipped.publish(draft(), weights(3), FILES)
    copied = volume.copy(shipped, "tiny")
    assert (copied.versions, copied.current) == ((3,), 3)


def test_a_copy_leaves_what_was_published_or_rolled_back_to_in_use(tmp_path: Path) -> None:
    shipped = store_with(tmp_path / "shipped", 3)
    for name, versions in (("own", 1), ("rolled", 2)):
        volume = store_with(tmp_path / name, versions)
        if name == "own":
            volume.publish(draft(), weights(9), FILES)  # as version 2, a number that the source has too
        else:
            volume.rollback("tiny", 1)
        in_use = volume.load("tiny").manifest
        copied = volume.copy(shipped, "tiny")
        assert volume.load("tiny").manifest == in_use
        assert copied.current == in_use.version
        assert volume.versions("tiny") == ([1, 2, 3, 4] if name == "own" else [1, 2, 3])
        wanted = {float(shipped.load("tiny", each).weights()["dense/bias"][0]) for each in (1, 2, 3)}
        assert wanted <= {
            float(volume.load("tiny", each).weights()["dense/bias"][0]) for each in volume.versions("tiny")
        }
        assert volume.copy(shipped, "tiny").versions == ()


def test_a_bad_version_is_not_copied(tmp_path: Path) -> None:
    shipped, volume = store_with(tmp_path / "shipped", 2), Store(tmp_path / "volume")
    (tmp_path / "shipped/tiny/2/README.md").write_bytes(b"# A modeX\n")
    with pytest.raises(InvalidCheckpointError, match=r"tiny/2/README.md: altered"):
        volume.copy(shipped, "tiny")
    assert volume.versions("tiny") == []


def test_a_version_is_found_by_its_weights(tmp_path: Path) -> None:
    store = store_with(tmp_path, 3)
    assert store.version_with("tiny", weights(2)) == 2
    assert store.version_with("tiny", weights(4)) is None
    assert store.version_with("other", weights(2)) is None


def test_the_command_copies(tmp_path: Path) -> None:
    store_with(tmp_path / "shipped", 1)
    (tmp_path / "volume").mkdir()
    done = command(tmp_path / "volume", "copy", "--from", str(tmp_path / "shipped"))
    assert (done.returncode, done.stdout) == (0, "tiny: tiny/1; current is tiny/1\n")
    again = command(tmp_path / "volume", "copy", "--from", str(tmp_path / "shipped"))
    assert again.stdout == "tiny: nothing new; current is tiny/1\n"
    itself = command(tmp_path / "volume", "copy", "--from", str(tmp_path / "volume"))
    assert (itself.returncode, "that is the store itself" in itself.stderr) == (2, True)
