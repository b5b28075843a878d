"""Each subcommand does what its help says, and what a user gets wrong is told in a line with exit status 2."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.rendering.formats import Format
from app.version import VERSION
from tests.servers import environment, serving

LILT = "import sys\nfrom app.cli.main import main\nmain()"
TIMEOUT_S = 120
FIRST_BYTES = {
    "abc": b"X:1\n",
    "wav": b"RIFF",
    "mp3": b"\xff",
    "ogg": b"OggS",
    "flac": b"fLaC",
    "mid": b"MThd",
    "svg": b"<svg",
    "pdf": b"%PDF",
    "musicxml": b"<?xml",
}
BAD_BAR = "X:1\nT:One\nM:4/4\nL:1/8\nK:D\nDEFG ABcd|\n\nX:2\nT:Two\nM:4/4\nL:1/8\nK:D\nDEFG ABcd|DEFG AB|DEFG ABcd|\n"


def lilt(
    *arguments: str, folder: Path | None = None, text: str = "", **settings: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-c", LILT, *arguments],
        cwd=folder,
        env=environment(**settings) | {"COLUMNS": "100"},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )


def done(*arguments: str, folder: Path | None = None, text: str = "", **settings: str) -> str:
    """What a command that succeeds prints."""
    ended = lilt(*arguments, folder=folder, text=text, **settings)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    told = done("--help")
    for command in ("serve", "tune", "render", "check", "bulk", "key", "store", "train", "publish", "completion"):
        assert re.search(rf"^  {command} ", told, re.MULTILINE), command
    imported = "import sys, app.cli.main\nprint({'fastapi', 'numpy', 'ai_edge_litert'} & set(sys.modules))"
    assert (
        subprocess.run(
            [sys.executable, "-c", imported], env=environment(), capture_output=True, text=True, check=True
        ).stdout
        == "set()\n"
    )


@pytest.mark.parametrize("command", ["serve", "tune", "render", "check", "bulk", "key", "store", "completion"])
def test_every_command_has_a_help_of_its_own(command: str) -> None:
    assert f"lilt {command}" in done(command, "--help")


def test_the_version_is_said() -> None:
    assert done("--version") == f"Lilt {VERSION}\n"


def test_a_seed_makes_the_same_tune_as_the_service(client: httpx.Client) -> None:
    wishes = {"key": "Ador", "rhythm": "reel", "seed": 7}
    made = client.post("/generate", json=wishes).json()["tunes"][0]["abc"]
    printed = lilt("tune", "--key", "Ador", "--rhythm", "reel", "--seed", "7")
    assert printed.stdout == made.rstrip("\n") + "\n"
    assert "--seed 7 with irish/" in printed.stderr
    assert len(printed.stderr.splitlines()) == 1


@pytest.mark.parametrize("ending", sorted(FIRST_BYTES))
def test_a_tune_is_written_as_its_files_ending_says(ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"tune.{ending}"
    ended = lilt("tune", "--rhythm", "jig", "--seed", "3", "-o", str(out))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert re.fullmatch(
        rf"{re.escape(str(out))}: .*, jig, in .*; --seed 3 with irish/\d+ makes it again\n", ended.stderr
    )
    assert out.read_bytes().startswith(FIRST_BYTES[ending])
    assert list(tmp_path.iterdir()) == [out]


def test_there_is_an_ending_for_every_format() -> None:
    assert {format_.extension for format_ in Format} | {"abc"} == FIRST_BYTES.keys()


def test_a_file_is_rendered_to_the_services_own_bytes(client: httpx.Client, tmp_path: Path) -> None:
    abc = "X:1\nM:6/8\nL:1/8\nK:D\nDFA d2f|afd D3|\n"
    wanted = client.post("/render", json={"abc": abc, "format": "midi", "tempo": 90, "transpose": 2}).content
    done("render", "-", "-o", "a.mid", "--tempo", "90", "--transpose", "2", folder=tmp_path, text=abc)
    assert (tmp_path / "a.mid").read_bytes() == wanted


def test_check_names_file_line_and_column_of_every_tune(tmp_path: Path) -> None:
    (tmp_path / "book.abc").write_text(BAD_BAR)
    told = done("check", "book.abc", folder=tmp_path)
    assert told.startswith("book.abc:13:")
    assert all(line.startswith("book.abc:13:") for line in told.splitlines())
    broken = lilt("check", "-", text="X:1\nK:D\n%%abc-include /etc/passwd\nABc|\n")
    assert broken.stdout.startswith("<stdin>:3:2: error: ")
    assert broken.returncode == 1


def test_check_mends_what_is_mechanical() -> None:
    assert done("check", "--fix", "-", text="T:No number\nABc|\n") == "X:1\nT:No number\nK:C\nABc|\n"


def test_bulk_takes_every_wish(tmp_path: Path) -> None:
    wishes = ["--form", "AABB8", "--low", "62", "--high", "83", "--top-k", "20", "--best-of", "2", "--key", "G"]
    told = done("bulk", "--count", "2", "--out", "tunes.abc", *wishes, folder=tmp_path)
    assert "tunes.abc: 2 tunes from" in told
    assert (tmp_path / "tunes.abc").read_text().count("K:G\n") == 2


def test_serve_takes_address_and_store_as_options() -> None:
    served = ("-P", "-c", LILT, "serve", "--port", "0", "--host", "127.0.0.1")
    with serving(program=served, port="1") as server, server.client() as client:
        assert client.get("/readyz").status_code == 200
    nowhere = lilt("serve", "--port", "0", "--model-store", "/no/such/folder")
    assert (nowhere.returncode, nowhere.stderr) == (
        2,
        "error: LILT_MODEL_STORE=/no/such/folder: there is no such folder\n",
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tune", "--temperature", "99"], "--temperature: input should be less than or equal to 10"),
        (["tune", "--seed", "x"], "'--seed': 'x' is not a valid integer"),
        (["tune", "--key", "H"], "'H' is not a key"),
        (["tune", "--meter", "99/4"], "'99/4' is not a metre here; there are 4/4"),
        (["tune", "--key", "D", "--free"], "only a constrained tune can be held to what is asked for"),
        (["tune", "--model", "polish"], "--model polish: "),
        (["tune", "-o", "tune.docx"], "tune.docx: its name has to end in one of .abc, .wav"),
        (["tune", "-o", "no/such/tune.mp3"], "there is no folder no/such"),
        (["tune", "--backing", "kazoo"], "'kazoo' is not one of 'none', 'guitar'"),
        (["render", "-", "-o", "a.mid"], "error: "),
        (["serve", "--port", "x"], "error: LILT_PORT='x': a whole number from 0 to 65,535 is allowed"),
        (["bulk", "--count", "0", "--out", "a.abc"], "0 is not in the range x>=1"),
        (["tunes"], "No such command 'tunes'"),
        (["store", "rollback", "polish"], "error: "),
    ],
)
def test_mistakes_are_told_in_a_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    ended = lilt(*arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert says in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_rendering_lacks_is_named_before_a_tune_is_made(tmp_path: Path) -> None:
    ended = lilt("tune", "-o", "a.wav", folder=tmp_path, synthesizer="timidity", soundfont="/no/such.sf2")
    assert ended.returncode == 2
    assert "/no/such.sf2" in ended.stderr


def test_another_projects_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training/__init__.py").touch()
    theirs = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}"}
    ended = subprocess.run(
        [sys.executable, "-P", "-c", LILT, "train"],
        env=environment() | theirs,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: {tmp_path}/training is not Lilt's package `training`")


def test_a_folder_of_ones_own_called_app_or_training_is_in_nobodys_way(tmp_path: Path) -> None:
    for name in ("app", "training", "model_store"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    assert done("--version", folder=tmp_path) == f"Lilt {VERSION}\n"
    assert "usage: lilt train" in done("train", "--help", folder=tmp_path)


def test_a_shell_completes_commands_options_and_values() -> None:
    assert "_LILT_COMPLETE=bash_complete" in done("completion", "bash")
    asked = environment() | {"_LILT_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    for words, expected in (("lilt tune --backing ", "session"), ("lilt tune --be", "--best-of")):
        ended = subprocess.run(
            [sys.executable, "-P", "-c", f"import sys; sys.argv[0] = 'lilt'\n{LILT}"],
            env=asked | {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert expected in ended.stdout, ended.stderr
