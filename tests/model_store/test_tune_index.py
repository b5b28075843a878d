"""An index of tunes gives back what it was made of, and a file that is none is refused by name."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from model_store.errors import InvalidCheckpointError, NewerFormatError
from model_store.tune_index import NO_RISE, IndexedTune, TuneIndex

TUNES = [
    IndexedTune("X:1\nT:Café\nK:D\nABc", "one", [(7, 62, 1), (2**63 + 5, 64, 2)]),
    IndexedTune("X:1\nK:G\nd", "two", [(7, 67, 0)]),
    IndexedTune("X:1\nK:G\n", "two", []),
]


def written(content: bytes, folder: Path) -> Path:
    file = folder / "tunes.safetensors"
    file.write_bytes(content)
    return file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    index = TuneIndex.read(written(TuneIndex.of(TUNES).to_bytes(), tmp_path), "here")
    assert len(index) == 3
    assert [index.abc(tune) for tune in range(3)] == [tune.abc for tune in TUNES]
    assert [index.book(tune) for tune in range(3)] == ["one", "two", "two"]
    assert [found.tolist() for found in index.find([2**63 + 5, 8, 7, 7])] == [[0, 2, 2, 3, 3], [1, 0, 2, 0, 2]]
    assert index.tunes.tolist() == [0, 0, 1]
    assert index.rises.tolist() == [NO_RISE, 2, NO_RISE]
    assert index.numbers.tolist() == [1, 2, 0]


def test_an_index_of_nothing_is_one_too(tmp_path: Path) -> None:
    index = TuneIndex.read(written(TuneIndex.of([]).to_bytes(), tmp_path), "here")
    assert len(index) == 0
    assert [found.tolist() for found in index.find([7])] == [[], []]


def test_what_is_no_index_is_named(tmp_path: Path) -> None:
    whole = TuneIndex.of(TUNES)
    arrays = {name: getattr(whole, name) for name in ("bars", "highs", "numbers", "ends", "text", "text_ends")}
    arrays |= {"books": whole.books, "names": whole.names}
    short, backwards = whole.numbers[:-1], np.array([2, 1, 3], np.uint32)
    for content in (
        b"something else",
        save(arrays),
        save({"bars": whole.bars}, {"format": "1"}),
        save(arrays | {"bars": whole.highs}, {"format": "1"}),
        save(arrays | {"numbers": short}, {"format": "1"}),
        save(arrays | {"ends": backwards}, {"format": "1"}),
        save(arrays | {"books": np.array([0, 1, 2], np.uint16)}, {"format": "1"}),
    ):
        with pytest.raises(InvalidCheckpointError, match=r"irish/3/tunes\.safetensors"):
            TuneIndex.read(written(content, tmp_path), "irish/3/tunes.safetensors")
    with pytest.raises(NewerFormatError, match="format 2 is newer"):
        TuneIndex.read(written(save(arrays, {"format": "2"}), tmp_path), "here")
