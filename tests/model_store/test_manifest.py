"""What was published once stays readable, or is refused with what to do about it.

`first_manifest.json` was written by the first Lilt that published. Whoever raises FORMAT_VERSION keeps it, adds one of
the format that was, and decides for each whether it is read.
"""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from model_store.errors import InvalidCheckpointError, NewerFormatError
from model_store.manifest import FORMAT_VERSION, Manifest, ModelConfig

FIRST = (Path(__file__).parent / "first_manifest.json").read_bytes()


def test_a_manifest_of_the_first_format_is_read_and_written_as_it_was() -> None:
    manifest = Manifest.parse(FIRST, "reel/1/manifest.json")
    assert (manifest.name, manifest.version, manifest.format_version) == ("reel", 1, 1)
    assert manifest.to_json() == FIRST


def test_a_network_of_more_layers_than_training_and_decoders_know_is_refused() -> None:
    described = json.loads(FIRST)["model"]
    assert ModelConfig.model_validate(described).layers == 1
    with pytest.raises(ValidationError, match="layers"):
        ModelConfig.model_validate(described | {"layers": 2})


@pytest.mark.parametrize(
    ("version", "error", "what_to_do"),
    [
        (FORMAT_VERSION + 1, NewerFormatError, "upgrade Lilt, or roll the model back"),
        (0, InvalidCheckpointError, "publish the model again from its run"),
    ],
)
def test_a_format_that_is_not_read_is_refused_with_what_to_do(
    version: int, error: type[Exception], what_to_do: str
) -> None:
    text = json.dumps(json.loads(FIRST) | {"format_version": version, "fields": "of that format"}).encode()
    with pytest.raises(error, match=f"reel/1/manifest.json: format {version} is .*: {what_to_do}$"):
        Manifest.parse(text, "reel/1/manifest.json")
