"""What a user gets wrong is told in one line, with exit code 2 and no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.abc.reader import read as read_abc
from app.interchange import musicxml_writer
from model_store.store import Store
from tests.servers import environment
from training.cli.main import main
from training.corpora import tunebook
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


@pytest.mark.parametrize("command", ["train", "evaluate nowhere", "publish nowhere --name x", "sample nowhere"])
def test_without_the_extra_the_command_says_which(command: str, tmp_path: Path) -> None:
    without = (
        "import importlib.util as util, sys\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, *package: None if name == 'tensorflow' else found(name, *package)\n"
        "from training.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", without, *command.split()],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: tensorflow: not installed; training needs it: `pip install 'lilt[train]'`")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_files_of_other_programs_are_read_and_what_is_broken_is_named(
    tunebook_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tunes"
    folder.mkdir()
    texts = tunebook.read(tunebook_file).tunes[:3]
    for number, abc in enumerate(texts):
        (folder / f"{number}.musicxml").write_bytes(musicxml_writer.write(read_abc(abc)))
    (folder / "broken.mid").write_bytes(b"MThd")
    found = [tunebook.read(file) for file in tunebook.find_files([str(folder)])]
    assert [len(book.tunes) for book in found] == [1, 1, 1, 0]
    assert found[3].rejects[0].reason == "the MIDI file is broken, or broken off"
    (tmp_path / "empty").mkdir()
    line = refused(["train", "--corpus", str(tmp_path / "empty")], capsys)
    assert "no .abc, .txt, .musicxml, .mxl, .mid, .midi file in this folder" in line


def test_weights_are_published_once_unless_asked_for_again(
    tiny_run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["publish", str(tiny_run.path), "--name", "tiny", "--tunes", "0", "--sample", "0", "--critic", "0"]
    monkeypatch.chdir(tmp_path)
    assert "name a model store by --store" in refused(arguments, capsys)
    monkeypatch.setenv("LILT_MODEL_STORE", str(tmp_path / "store"))
    assert main(arguments) == 0
    assert "its weights are published already, as tiny/1; --again" in refused(arguments, capsys)
    assert main([*arguments, "--again"]) == 0
    assert Store(tmp_path / "store").versions("tiny") == [1, 2]


def test_nothing_but_its_own_words_is_printed_where_tensorflow_is_loaded(tiny_run: RunFolder) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training", "sample", str(tiny_run.path), "--length", "3"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO: Created TensorFlow Lite")]
    assert lines == ["seed 1: no end within 3 characters"]
