"""The store: a folder of checkpoints, `<name>/<version>/`, with atomic publishing, verification and rollback.

A version is complete or absent: it is written beside, flushed to disk and renamed. `<name>/current` is a small text
file that names the version in use; it too changes by rename, so a reader never sees half of anything.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from model_store.critic import Critic
from model_store.errors import (
    CheckpointNotFoundError,
    InvalidCheckpointError,
    NewerFormatError,
    PublishError,
    StoreError,
)
from model_store.lexicon import Lexicon
from model_store.manifest import (
    CARD_FILE,
    CRITIC_FILE,
    DECODER_FILE,
    LEXICON_FILE,
    PLANS_FILE,
    TUNES_FILE,
    WEIGHTS_FILE,
    Draft,
    FileRecord,
    Manifest,
)
from model_store.plans import Plans
from model_store.tune_index import TuneIndex
from model_store.vocabulary import Vocabulary

Tensors = dict[str, NDArray[np.float32]]

MANIFEST_FILE = "manifest.json"
_CURRENT = "current"
_INCOMING = ".incoming"
_VERSION = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True)
class Checkpoint:
    """One published version whose files have been verified."""

    folder: Path
    manifest: Manifest

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.manifest.vocabulary)

    def path(self, file: str) -> Path:
        """Where a file of the manifest lies."""
        if file not in self.manifest.files:
            raise CheckpointNotFoundError(f"{self.folder.name}: the manifest names no file {file!r}")
        return self.folder / file

    def weights(self) -> Tensors:
        """Tensor name → float32 array, in the shapes of `ModelConfig.weight_shapes`.

        Raises:
            InvalidCheckpointError: the file is not safetensors, or its tensors are not the model's.
        """
        file = self.path(WEIGHTS_FILE)
        try:
            tensors = load_tensors(file.read_bytes())
        except (OSError, SafetensorError) as error:
            raise InvalidCheckpointError(f"{_label(file)}: unreadable ({error})") from None
        _check_shapes(tensors, self.manifest, _label(file))
        return tensors

    def tune_index(self) -> TuneIndex | None:
        """The tunes that the model was trained on; None for a version that was published without them.

        Raises:
            StoreError: the file is not such an index, or one of a later format.
        """
        if TUNES_FILE not in self.manifest.files:
            return None
        file = self.path(TUNES_FILE)
        return TuneIndex.read(file, _label(file))

    def lexicon(self) -> Lexicon | None:
        """What its headers may say; None for a version that was published without one.

        Raises:
            StoreError: the file is not a lexicon, or one of a later format.
        """
        if LEXICON_FILE not in self.manifest.files:
            return None
        file = self.path(LEXICON_FILE)
        return Lexicon.parse(_read(file), _label(file))

    def plans(self) -> Plans | None:
        """The plans of the tunes that it learnt; None for a version that was published without them.

        Raises:
            StoreError: the file does not hold plans, or is one of a later format.
        """
        if PLANS_FILE not in self.manifest.files:
            return None
        file = self.path(PLANS_FILE)
        return Plans.parse(_read(file), _label(file))

    def critic(self) -> Critic | None:
        """What chooses among several of the model's tunes; None for a version that was published without one.

        Raises:
            StoreError: the file is no critic, or one of a later format.
        """
        if CRITIC_FILE not in self.manifest.files:
            return None
        file = self.path(CRITIC_FILE)
        return Critic.read(file, _label(file))


@dataclass(frozen=True)
class Copied:
    """What came of copying a name: the versions that are new here, and the one in use."""

    name: str
    versions: tuple[int, ...]
    current: int


class Store:
    """The checkpoints under one local folder."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def names(self) -> list[str]:
        """Every name with at least one version, sorted.

        Raises:
            CheckpointNotFoundError: the store is not a folder.
        """
        if not self.root.is_dir():
            raise CheckpointNotFoundError(f"model store {self.root}: no such folder")
        return sorted(entry.name for entry in self.root.iterdir() if entry.is_dir() and self.versions(entry.name))

    def has_manifest(self) -> bool:
        """Whether any of its versions has one; where none has, the folder is hardly a store of models."""
        return any(
            (self.root / name / str(version) / MANIFEST_FILE).exists()
            for name in self.names()
            for version in self.versions(name)
        )

    def versions(self, name: str) -> list[int]:
        """The versions of a name, oldest first; empty if there are none."""
        folder = self.root / name
        if not folder.is_dir():
            return []
        return sorted(int(entry.name) for entry in folder.iterdir() if _VERSION.fullmatch(entry.name))

    def current(self, name: str) -> int:
        """The version in use: the one that `current` names, else the newest.

        Raises:
            CheckpointNotFoundError: the name has no versions.
            InvalidCheckpointError: `current` does not name one of them.
        """
        versions = self._known_versions(name)
        pointer = self.root / name / _CURRENT
        if not pointer.exists():
            return versions[-1]
        text = pointer.read_text("utf-8", errors="replace").strip()
        if not _VERSION.fullmatch(text) or int(text) not in versions:
            raise InvalidCheckpointError(f"{_label(pointer)}: names version {text!r}, but there are {versions}")
        return int(text)

    def _known_versions(self, name: str) -> list[int]:
        """The versions of a name that has some."""
        versions = self.versions(name)
        if not versions:
            have = ", ".join(self.names()) or "none"
            raise CheckpointNotFoundError(f"model store {self.root}: no checkpoint named {name!r} (it has: {have})")
        return versions

    def load(self, name: str, version: int | None = None) -> Checkpoint:
        """A verified checkpoint; the current version unless another is asked for.

        Raises:
            CheckpointNotFoundError: there is no such name or version.
            InvalidCheckpointError: a file is missing, truncated or altered; the error names it.
            NewerFormatError: a later Lilt wrote it.
        """
        version = self.current(name) if version is None else version
        folder = self.root / name / str(version)
        if not folder.is_dir():
            have = ", ".join(map(str, self._known_versions(name)))
            raise CheckpointNotFoundError(f"{name}: no version {version} (it has: {have})")
        manifest_file = folder / MANIFEST_FILE
        manifest = Manifest.parse(_read(manifest_file), _label(manifest_file))
        if (manifest.name, manifest.version) != (name, version):
            raise InvalidCheckpointError(
                f"{_label(manifest_file)}: is the manifest of {manifest.name}/{manifest.version}"
            )
        for file in (WEIGHTS_FILE, DECODER_FILE):
            if file not in manifest.files:
                raise InvalidCheckpointError(f"{_label(manifest_file)}: names no {file}")
        for file, record in manifest.files.items():
            _verify(folder / file, record)
        return Checkpoint(folder, manifest)

    def load_last_good(
        self, name: str, prove: Callable[[Checkpoint], object] = lambda _: None
    ) -> tuple[Checkpoint, StoreError | None]:
        """The current version or, where it does not verify, the newest other one that does.

        Args:
            prove: raises InvalidCheckpointError where a version that verifies is still of no use.

        Returns:
            The checkpoint, and what was wrong with the current version (None if nothing was).

        Raises:
            StoreError: no version can be used; the error is the current version's.
        """
        fault: StoreError | None = None
        for version in (None, *reversed(self.versions(name))):  # the current one first
            try:
                checkpoint = self.load(name, version)
                prove(checkpoint)
            except (InvalidCheckpointError, NewerFormatError) as error:
                fault = fault or error
            else:
                return checkpoint, fault
        assert fault is not None  # noqa: S101  # the current version was tried
        raise fault

    def publish(
        self, draft: Draft, weights: Mapping[str, NDArray[np.float32]], files: Mapping[str, bytes]
    ) -> Checkpoint:
        """Add the next version of `draft.name` and make it current.

        Args:
            draft: what the manifest will say.
            weights: the tensors, float32, in the shapes of `ModelConfig.weight_shapes`.
            files: the other files by name; the decoder graph and the model card must be among them.

        Raises:
            PublishError: something is missing, or is not what the draft says.
        """
        _check_draft(draft, weights, files)
        contents = {**files, WEIGHTS_FILE: _weights_file(weights)}
        home = self.root / draft.name
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            version = max(self.versions(draft.name), default=0) + 1
            manifest = Manifest.seal(
                draft,
                version=version,
                created=datetime.now(UTC).replace(microsecond=0),
                files={file: FileRecord.of(content) for file, content in contents.items()},
            )
            _install(home, version, {**contents, MANIFEST_FILE: manifest.to_json()})
            _point(home, version)
        return self.load(draft.name, version)

    def version_with(self, name: str, weights: Mapping[str, NDArray[np.float32]]) -> int | None:
        """The newest version of a name that has these very weights, if there is one."""
        record = FileRecord.of(_weights_file(weights))
        for version in reversed(self.versions(name)):
            manifest_file = self.root / name / str(version) / MANIFEST_FILE
            if Manifest.parse(_read(manifest_file), _label(manifest_file)).files.get(WEIGHTS_FILE) == record:
                return version
        return None

    def copy(self, source: "Store", name: str) -> "Copied":
        """Copy the versions of a name that this store has not, and follow the source if its models were in use here.

        A version keeps its number where that is free, else it gets the next one. `current` moves to the source's where
        nothing was here before, or where the newest version here was in use and came from the source: what was
        published here, or rolled back to, stays in use.

        Raises:
            StoreError: the source has no such name, or a version of it does not verify.
        """
        home = self.root / name
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            here = {version: self.load(name, version).manifest for version in self.versions(name)}
            wanted = [source.load(name, version) for version in source.versions(name)]
            newest = max(here, default=None)
            follows = newest is None or (
                self.current(name) == newest and any(here[newest].files == each.manifest.files for each in wanted)
            )
            numbers: dict[int, int] = {}
            added: list[int] = []
            for each in wanted:
                same = next((number for number, has in here.items() if has.files == each.manifest.files), None)
                if same is None:
                    taken = each.manifest.version in here
                    same = max(here) + 1 if taken else each.manifest.version
                    here[same] = _renumbered(each.manifest, same)
                    _install(home, same, {**_contents(each), MANIFEST_FILE: here[same].to_json()})
                    added.append(same)
                numbers[each.manifest.version] = same
            if follows:
                _point(home, numbers[source.current(name)])
        return Copied(name, tuple(added), self.current(name))

    def rollback(self, name: str, version: int | None = None) -> Checkpoint:
        """Make an earlier version current: the one before today's unless another is named.

        Raises:
            CheckpointNotFoundError: there is no earlier version, or not that one.
            InvalidCheckpointError: that version does not verify; `current` stays as it was.
        """
        if version is None:
            current = self.current(name)
            earlier = [v for v in self.versions(name) if v < current]
            if not earlier:
                raise CheckpointNotFoundError(f"{name}: no version earlier than {current}")
            version = earlier[-1]
        checkpoint = self.load(name, version)
        with _locked(self.root / name):
            _point(self.root / name, version)
        return checkpoint


def _label(file: Path) -> str:
    """A file as `name/version/file`: enough to find it, and nothing of the machine it lies on."""
    return "/".join(file.parts[-2:] if file.name == _CURRENT else file.parts[-3:])


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise InvalidCheckpointError(f"{_label(file)}: missing") from None
    except OSError as error:
        raise InvalidCheckpointError(f"{_label(file)}: unreadable ({error.strerror})") from None


def _verify(file: Path, record: FileRecord) -> None:
    content = _read(file)
    if len(content) != record.size:
        raise InvalidCheckpointError(f"{_label(file)}: {len(content)} bytes, but the manifest says {record.size}")
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise InvalidCheckpointError(f"{_label(file)}: altered since it was published (SHA-256 does not match)")


def _check_shapes(tensors: Mapping[str, NDArray[np.float32]], draft: Draft, where: str) -> None:
    found = {key: (tensor.shape, str(tensor.dtype)) for key, tensor in tensors.items()}
    expected = {key: (shape, "float32") for key, shape in draft.model.weight_shapes().items()}
    for key in sorted(found.keys() | expected.keys()):
        if found.get(key) != expected.get(key):
            raise InvalidCheckpointError(
                f"{where}: tensor {key!r} is {found.get(key, 'missing')}, expected {expected.get(key, 'none')}"
            )


def _check_draft(draft: Draft, weights: Mapping[str, NDArray[np.float32]], files: Mapping[str, bytes]) -> None:
    if len(Vocabulary(draft.vocabulary)) != draft.model.vocab_size:
        raise PublishError(f"{draft.name}: the vocabulary and vocab_size {draft.model.vocab_size} differ")
    try:
        _check_shapes(weights, draft, draft.name)
    except InvalidCheckpointError as error:
        raise PublishError(str(error)) from None
    for file in (DECODER_FILE, CARD_FILE):
        if file not in files:
            raise PublishError(f"{draft.name}: {file} is missing")


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One writer at a time for a name; the lock goes with its holder, however that ends."""
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _weights_file(weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    return save_tensors({key: np.ascontiguousarray(tensor) for key, tensor in weights.items()})


def _contents(checkpoint: Checkpoint) -> dict[str, bytes]:
    return {file: _read(checkpoint.folder / file) for file in checkpoint.manifest.files}


def _renumbered(manifest: Manifest, version: int) -> Manifest:
    """The same under another number; as it is, where that is its own."""
    if version == manifest.version:
        return manifest
    draft = Draft(**{field: getattr(manifest, field) for field in Draft.model_fields})
    return Manifest.seal(draft, version=version, created=manifest.created, files=manifest.files)


def _install(home: Path, version: int, contents: Mapping[str, bytes]) -> None:
    """Write a version beside, flush it and rename it; the caller holds the lock."""
    incoming = home / _INCOMING
    shutil.rmtree(incoming, ignore_errors=True)  # left by a publisher that was killed
    incoming.mkdir()
    for file, content in contents.items():
        _write_durably(incoming / file, content)
    _sync(incoming)
    incoming.rename(home / str(version))
    _sync(home)


def _point(home: Path, version: int) -> None:
    beside = home / f".{_CURRENT}"
    _write_durably(beside, f"{version}\n".encode())
    beside.replace(home / _CURRENT)
    _sync(home)


def _write_durably(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
