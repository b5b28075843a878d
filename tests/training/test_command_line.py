"""What a user gets wrong is told in one line, with exit code 2 and no traceback."""

from pathlib import Path

import pytest

from training.__main__ import main
from training.learning.run_folder import RunFolder


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The error's one line."""
    assert main(arguments) == 2
    last = capsys.readouterr().err.strip().split("\n")[-1]
    assert last.startswith("error: ")
    return last


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--recipe", "huge"], "recipe 'huge' is not one of lab, plain, small, books"),
        (["train", "--set", "steps"], "--set steps: write NAME=VALUE"),
        (["train", "--set", "speed=9"], "setting 'speed' is not one of"),
        (["train", "--steps", "0"], "steps: 0 is not above 0"),
        (["train", "--corpus", "no/such/tunes*.abc"], "no/such/tunes*.abc: no such file"),
        (["train", "--resume"], "runs/small: not a run folder"),
        (["evaluate", "nowhere"], "nowhere: neither a run folder"),
        (["export", "nowhere"], "nowhere: not a run folder"),
        (["sample", "nowhere"], "nowhere: neither a run folder"),
        (["publish", "nowhere", "--name", "x"], "nowhere: not a run folder"),
    ],
)
def test_mistakes_are_told(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(arguments, capsys)
    assert not list(tmp_path.iterdir())


def test_an_existing_run_is_not_overwritten(
    tiny_run: RunFolder, tunebook_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(["train", "--corpus", str(tunebook_file), "--run", str(tiny_run.path)], capsys)
    assert "exists already; go on with it by --resume" in line


def test_a_resumed_run_keeps_its_settings(tiny_run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(["train", "--run", str(tiny_run.path), "--resume", "--set", "lstm_units=4"], capsys)
    assert "only steps may change, not lstm_units" in line


def test_an_empty_tunebook_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.abc").write_text("")
    line = refused(["train", "--corpus", str(tmp_path / "empty.abc"), "--run", str(tmp_path / "run")], capsys)
    assert "no tune in" in line
    assert not (tmp_path / "run").exists()


def test_rejects_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.abc"
    file.write_text("X:1\nT:No key\nABc|\n")
    assert main(["train", "--corpus", str(file), "--run", str(tmp_path / "run")]) == 2
    assert f"{file}:1: no K: field" in capsys.readouterr().err


def test_a_sample_is_printed(tiny_run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(tiny_run.path), "--tunes", "2", "--length", "3"]) == 0
    assert "seed 2: no end within 3 characters" in capsys.readouterr().err
