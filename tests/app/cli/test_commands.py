"""Each subcommand does what its help says, and what a user gets wrong is told in a line with exit status 2."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from app.cli.main import run
from app.rendering.formats import Format
from app.version import VERSION
from tests.servers import environment, serving

LILT = "import sys\nfrom app.cli.main import main\nmain()"
FIRST_BYTES = {
    "abc": b"X:1\n",
    "wav": b"RIFF",
    "mp3": b"ID3",
    "ogg": b"OggS",
    "flac": b"fLaC",
    "mid": b"MThd",
    "svg": b"<svg",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "musicxml": b"<?xml",
}
BAD_BAR = "X:1\nT:One\nM:4/4\nL:1/8\nK:D\nDEFG ABcd|\n\nX:2\nT:Two\nM:4/4\nL:1/8\nK:D\nDEFG ABcd|DEFG AB|DEFG ABcd|\n"


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


class _Stdin(io.BytesIO):
    """What the standard input is called, as Python has it."""

    name = "<stdin>"


class Lilt(Protocol):
    """Runs the command in an empty folder, with these settings alone."""

    def __call__(self, *arguments: str, text: str = "", **settings: str) -> Ended: ...


@pytest.fixture
def lilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lilt:
    """In this process, which has imported all that it needs."""

    def run_one(*arguments: str, text: str = "", **settings: str) -> Ended:
        for name in [name for name in os.environ if name.startswith("LILT_")]:
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(f"LILT_{name.upper()}", value)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(_Stdin(text.encode())))
        monkeypatch.chdir(tmp_path)
        capfd.readouterr()
        status = run(list(arguments))
        return Ended(status, *capfd.readouterr())

    return run_one


def test_help_lists_every_command_and_imports_none_of_them(lilt: Lilt) -> None:
    told = lilt("--help").stdout
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
def test_every_command_has_a_help_of_its_own(lilt: Lilt, command: str) -> None:
    assert f"lilt {command}" in lilt(command, "--help").stdout
    assert f"lilt {command}" in lilt(command, "-h").stdout


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("tume",), "'tume' is not a command; did you mean tune?"),
        (("xyzzy",), "'xyzzy' is not a command; there are serve, tune, "),
        (("tune", "--length", "0"), "--length: 1 or more is allowed"),
        (("tune", "--best-of", "65"), "--best-of: 64 or less is allowed"),
    ],
)
def test_what_is_mistyped_is_told_with_what_is_meant_or_allowed(lilt: Lilt, given: tuple[str, ...], told: str) -> None:
    ended = lilt(*given)
    assert ended.returncode == 2
    assert told in ended.stderr


def test_the_version_is_said(lilt: Lilt) -> None:
    assert lilt("--version") == Ended(0, f"Lilt {VERSION}\n", "")


def test_a_seed_makes_the_same_tune_as_the_service(lilt: Lilt, client: httpx.Client) -> None:
    wishes = {"key": "Ador", "rhythm": "reel", "seed": 7}
    made = client.post("/generate", json=wishes).json()["tunes"][0]["abc"]
    printed = lilt("tune", "--key", "Ador", "--rhythm", "reel", "--seed", "7")
    assert printed.stdout == made.rstrip("\n") + "\n"
    assert "--seed 7 with irish/" in printed.stderr
    assert len(printed.stderr.splitlines()) == 1


@pytest.mark.parametrize("ending", [format_.extension for format_ in Format])
def test_a_tune_is_written_as_its_files_ending_says(lilt: Lilt, ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"tune.{ending}"
    ended = lilt("tune", "--rhythm", "jig", "--form", "AB4", "--seed", "3", "-o", str(out))
    assert (ended.returncode, ended.stdout) == (0, "")
    assert re.fullmatch(
        rf"{re.escape(str(out))}: .*, jig, in .*; --seed 3 with irish/\d+ makes it again\n", ended.stderr
    )
    assert out.read_bytes().startswith(FIRST_BYTES[ending])
    assert list(tmp_path.iterdir()) == [out]


def test_the_instruments_are_those_that_program_takes(lilt: Lilt) -> None:
    lines = lilt("instruments").stdout.splitlines()
    assert (len(lines), lines[73]) == (128, " 73 flute")


def test_a_file_is_rendered_to_the_services_own_bytes(lilt: Lilt, client: httpx.Client, tmp_path: Path) -> None:
    abc = "X:1\nM:6/8\nL:1/8\nK:D\nDFA d2f|afd D3|\n"
    wanted = client.post("/render", json={"abc": abc, "format": "midi", "tempo": 90, "transpose": 2}).content
    assert lilt("render", "-", "-o", "a.mid", "--tempo", "90", "--transpose", "2", text=abc).returncode == 0
    assert (tmp_path / "a.mid").read_bytes() == wanted


def test_every_tune_of_a_book_goes_into_a_folder_by_its_title(lilt: Lilt, tmp_path: Path) -> None:
    tunes = ("T:../A/B\nK:D\nDFA|\n", "T:Same\nK:D\nDFA|\n", "T:Same\nK:G\nGBd|\n", "T:Bad\nK:D\n%%abc-include x\nA|\n")
    (tmp_path / "book.abc").write_text(
        "M:6/8\n\n" + "\n".join(f"X:{number}\n{tune}" for number, tune in enumerate(tunes, 1))
    )
    (tmp_path / "out").mkdir()
    ended = lilt("render", "book.abc", "-o", "out/", "--format", "abc", "--transpose", "2")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("book.abc:18: error: ")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["A B.abc", "Same (2).abc", "Same.abc"]
    assert "M:6/8\nL:1/8\nK:A\n" in (tmp_path / "out/Same (2).abc").read_text()
    nameless = lilt("render", "book.abc", "-o", "out")
    assert nameless.returncode == 2
    assert "out is a folder; --format says what is to be made in it" in nameless.stderr


def test_no_tune_of_a_book_is_written_over_another_whose_title_makes_the_same_name(lilt: Lilt, tmp_path: Path) -> None:
    titles = ("A/B", "A:B", "Same", "Same", "Same (2)", "same")
    (tmp_path / "book.abc").write_text("\n".join(f"X:1\nT:{title}\nK:D\nDFA|\n" for title in titles))
    (tmp_path / "out").mkdir()
    assert lilt("render", "book.abc", "-o", "out", "--format", "abc").returncode == 0
    found = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    names = ("A B.abc", "A B (2).abc", "Same.abc", "Same (2).abc", "Same (2) (2).abc", "same (3).abc")
    assert set(found) == set(names)
    assert all(f"T:{title}\n" in found[name] for name, title in zip(names, titles, strict=True))


def test_a_folder_that_there_is_not_is_no_files_name(lilt: Lilt, tmp_path: Path) -> None:
    ended = lilt("render", "-", "-o", "out/", "--format", "abc", text="X:1\nK:D\nDFA|\n")
    assert ended.returncode == 2
    assert "there is no folder out/" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_commands_work_in_pipes(lilt: Lilt) -> None:
    abc = "X:1\nM:6/8\nL:1/8\nK:D\nDFA d2f|afd D3|\n"
    xml = lilt("render", "-", "-o", "-", "--format", "musicxml", text=abc)
    assert (xml.returncode, xml.stderr) == (0, "")
    back = lilt("import", "-", "-o", "-", text=xml.stdout)
    assert back.returncode == 0
    assert back.stdout.endswith("K:D\nDFA d2f|afd D3|]\n")
    assert "<stdin>" not in back.stdout
    assert lilt("tune", "--form", "AB4", "--seed", "3", "--format", "svg").stdout.startswith("<svg")


def test_a_printed_tune_is_transposed(lilt: Lilt) -> None:
    wishes = ("tune", "--key", "F", "--form", "AB4", "--seed", "3")
    assert "K:F\n" in lilt(*wishes).stdout
    assert "K:G\n" in lilt(*wishes, "--transpose", "2").stdout


def test_a_link_and_a_files_mode_stay_when_it_is_written_anew(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text("X:1\nK:D\nA|\n")
    (tmp_path / "a.abc").chmod(0o640)
    (tmp_path / "link.abc").symlink_to("a.abc")
    assert lilt("render", "link.abc", "-o", "link.abc", "--transpose", "2").returncode == 0
    assert (tmp_path / "link.abc").is_symlink()
    assert "K:E\n" in (tmp_path / "a.abc").read_text()
    assert (tmp_path / "a.abc").stat().st_mode & 0o777 == 0o640


def test_what_would_be_written_over_or_misnamed_is_refused_before_anything_is_made(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "folder.mp3").mkdir()
    for arguments, says in (
        (("tune", "-o", "folder.mp3"), "is a directory"),
        (("import", "-", "-o", "tune.mid"), "tune.mid: this writes text; a name that ends in .abc or .txt is allowed"),
        (("bulk", "--count", "1", "-o", "tunes.mp3"), "tunes.mp3: this writes text"),
        (("bulk", "--count", "1", "-o", "-"), "-o -: a file is needed"),
    ):
        ended = lilt(*arguments)
        assert ended.returncode == 2
        assert says in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp3"]


def test_check_names_file_line_and_column_of_every_tune(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "book.abc").write_text(BAD_BAR)
    told = lilt("check", "book.abc").stdout
    assert told.startswith("book.abc:13:")
    assert all(line.startswith("book.abc:13:") for line in told.splitlines())
    (tmp_path / "bad.abc").write_text("X:1\nK:D\n%%abc-include /etc/passwd\nABc|\n")
    broken = lilt("check", "book.abc", "bad.abc")
    assert "\nbad.abc:3:1: error: " in broken.stdout
    assert broken.returncode == 1


def test_render_says_what_was_left_out(lilt: Lilt) -> None:
    abc = "X:1\n%%scale 0.7\nM:4/4\nL:1/4\nK:C\nCDEF|GA]|\n"
    ended = lilt("render", "-", "-o", "a.mid", text=abc)
    assert ended.returncode == 0
    told = ["note: left out: line 2: %%scale", "note: left out: line 6: a ] without its [: the chord has ended already"]
    assert ended.stderr.splitlines() == told


def test_check_looks_at_the_other_tunes_where_one_is_too_large(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "book.abc").write_text("X:1\nK:C\n" + "CDEF|\n" * 2000 + "\nX:2\nK:C\nABc]|\n")
    told = lilt("check", "book.abc")
    assert told.returncode == 1
    assert told.stdout.startswith("book.abc:1: error: the tune has 2,003 lines; 1,000 are allowed\nbook.abc:2006:4:")


def test_check_reads_tunes_by_the_header_of_their_book(lilt: Lilt, tmp_path: Path) -> None:
    tune = "K:C\nCDEFGABc|CDEFGABcd|\n"
    (tmp_path / "book.abc").write_text(f"M:2/4\nL:1/16\n%%scale 0.7\n\nX:1\n{tune}\nX:2\n{tune}")
    told = lilt("check", "book.abc").stdout.splitlines()
    assert [line.split(": ")[0] for line in told] == ["book.abc:7:10", "book.abc:3:1", "book.abc:11:10"]


def test_a_book_of_too_many_bytes_is_not_read_on(lilt: Lilt, tmp_path: Path) -> None:
    with (tmp_path / "book.abc").open("wb") as book:
        book.truncate(10 * 2**40 // 1024)
    told = lilt("check", "book.abc")
    assert told.returncode == 1
    assert told.stdout == "book.abc: error: it has more than the 64 MiB that are allowed; check it in parts\n"


def test_check_looks_at_the_other_files_where_one_cannot_be_read(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "no-text.abc").write_bytes(b"X:1\n\x00\x01\x02\x90\xff\x03")
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "book.abc").write_text(BAD_BAR)
    told = lilt("check", "no-text.abc", "broken.mid", "book.abc")
    assert told.returncode == 1
    first, second, third = told.stdout.splitlines()
    assert first == "no-text.abc:2: error: the byte 0x90 is not UTF-8; send the tune as UTF-8"
    assert second == "broken.mid: error: the MIDI file is broken, or broken off"
    assert third.startswith("book.abc:13:")


def test_bars_that_do_not_add_up_fail_a_strict_check_alone(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "book.abc").write_text(BAD_BAR)
    assert lilt("check", "book.abc").returncode == 0
    strict = lilt("check", "--strict", "book.abc")
    assert (strict.returncode, strict.stdout.count(" warning: bar 2 ")) == (1, 1)
    assert lilt("check", "--strict", "-", text=BAD_BAR.split("\n\n")[0]).returncode == 0


def test_check_looks_at_all_files_in_a_folder(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "books" / "old").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "books" / "b.abc").write_text(BAD_BAR)
    (tmp_path / "books" / "old" / "A.ABC").write_text("X:1\nK:D\nABc]|\n")
    (tmp_path / "books" / "README.txt").write_text("No tune.\n")
    told = lilt("check", "books")
    assert [line.split(": ")[0] for line in told.stdout.splitlines()] == ["books/b.abc:13:11", "books/old/A.ABC:3:4"]
    assert "empty: there is no file in it that ends in .abc, " in lilt("check", "empty").stderr


def test_check_tells_of_files_that_cannot_be_opened_or_whose_names_are_no_text(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "a.abc").symlink_to("/proc/self/mem")  # which not even root can read from its beginning
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.abc")).write_text(BAD_BAR)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/c\xff.abc")).write_bytes(b"X:1\n\x00\x01\x02\x90\xff\x03")
    told = lilt("check", ".")
    assert told.returncode == 1
    unopened, faulty, unread = told.stdout.splitlines()
    assert unopened == "a.abc: error: Input/output error"
    assert faulty.startswith("b\ufffd.abc:13:11: warning: ")
    assert unread.startswith("c\ufffd.abc:2: error: ")
    answers = [json.loads(line) for line in lilt("check", "--json", ".").stdout.splitlines()]
    assert [answer["file"] for answer in answers] == ["a.abc", "b\ufffd.abc", "b\ufffd.abc", "c\ufffd.abc"]


def test_check_answers_as_the_service_does_a_line_of_json_for_each_tune(
    lilt: Lilt, tmp_path: Path, client: httpx.Client
) -> None:
    (tmp_path / "book.abc").write_text(BAD_BAR)
    (tmp_path / "no-text.abc").write_bytes(b"X:1\n\x00\x01\x02\x90\xff\x03")
    told = lilt("check", "--json", "book.abc", "no-text.abc")
    assert told.returncode == 1
    *answers, unread = map(json.loads, told.stdout.splitlines())
    tunes = [f"{tune.rstrip()}\n" for tune in BAD_BAR.split("\n\n")]
    assert len(answers) == len(tunes)
    for answer, tune in zip(answers, tunes, strict=True):
        served = client.post("/check", json={"abc": tune}).json()
        first_line = answer.pop("line")
        assert answer.pop("file") == "book.abc"
        for problem in served["problems"]:
            problem["line"] += first_line - 1
        assert answer == served
    assert (unread["file"], unread["playable"], unread["problems"][0]["line"]) == ("no-text.abc", False, 2)
    assert "--fix prints texts" in lilt("check", "--json", "--fix", "book.abc").stderr


def test_one_tune_goes_into_several_files(lilt: Lilt, tmp_path: Path) -> None:
    ended = lilt("tune", "--form", "AB4", "--seed", "3", "-o", "a.mid", "-o", "a.abc", "-o", "a.svg")
    assert ended.returncode == 0
    assert ended.stderr.startswith("a.mid, a.abc, a.svg: ")
    for file in tmp_path.iterdir():
        assert file.read_bytes().startswith(FIRST_BYTES[file.suffix[1:]])
    assert len(list(tmp_path.iterdir())) == 3


def test_a_set_that_is_too_long_to_render_is_refused_before_it_is_made(lilt: Lilt, tmp_path: Path) -> None:
    for more in (["-o", "a.mp3"], ["-o", "a.svg"], ["-o", "a.abc", "--transpose", "2"]):
        told = lilt("tune", "--tunes", "6", "--length", "100000", *more)
        assert told.returncode == 2
        assert "--tunes 6: a set that is rendered has 5 at the most" in told.stderr
    assert not list(tmp_path.iterdir())


def test_check_mends_what_is_mechanical(lilt: Lilt, tmp_path: Path) -> None:
    (tmp_path / "a.abc").write_text("T:No number\nABc|\n")
    assert lilt("check", "--fix", "a.abc").stdout == "X:1\nT:No number\nK:C\nABc|\n"


def test_bulk_takes_every_wish(lilt: Lilt, tmp_path: Path) -> None:
    wishes = ["--form", "AABB8", "--low", "62", "--high", "83", "--top-k", "20", "--best-of", "2", "--key", "G"]
    told = lilt("bulk", "--count", "2", "--out", "tunes.abc", *wishes).stdout
    assert "tunes.abc: 2 tunes from" in told
    assert (tmp_path / "tunes.abc").read_text().count("K:G\n") == 2


def test_serve_takes_address_and_store_as_options(lilt: Lilt) -> None:
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
        (["tune", "--temperature", "99"], "--temperature: 10 or less is allowed"),
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
        (["tunes"], "'tunes' is not a command; did you mean tune?"),
        (["store", "rollback", "polish"], "error: "),
        (["store", "rollback", "polish", "1"], "no checkpoint named 'polish' (it has: irish)"),
    ],
)
def test_mistakes_are_told_in_a_line(lilt: Lilt, arguments: list[str], says: str, tmp_path: Path) -> None:
    ended = lilt(*arguments)
    assert ended.returncode == 2
    assert says in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_rendering_lacks_is_named_before_a_tune_is_made(lilt: Lilt) -> None:
    ended = lilt("tune", "-o", "a.wav", synthesizer="timidity", soundfont="/no/such.sf2")
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
    done = subprocess.run(
        [sys.executable, "-P", "-c", LILT, "train", "--help"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage: lilt train" in done.stdout


def test_a_shell_completes_commands_options_and_values(lilt: Lilt) -> None:
    assert "_LILT_COMPLETE=bash_complete" in lilt("completion", "bash").stdout
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


def test_files_of_other_programs_are_taken_by_import_render_and_check(lilt: Lilt, tmp_path: Path) -> None:
    abc = "X:1\nT:Morning\nM:6/8\nL:1/8\nK:D\n|:DFA d2f|afd D3:|\n"
    for ending in ("musicxml", "mid"):
        assert lilt("render", "-", "-o", f"tune.{ending}", "--feel", "0", text=abc).returncode == 0
    made = lilt("import", "tune.musicxml")
    assert made.stdout.endswith("K:D\n|:DFA d2f|afd D3:|\n")
    assert lilt("import", "tune.mid").stdout.endswith("K:D\nDFA d2f|afd D3|DFA d2f|afd D3|]\n")
    book = lilt("import", "tune.musicxml", "tune.mid", "-", "-o", "book.abc", text=abc)
    assert (book.returncode, book.stdout) == (0, "")
    assert (tmp_path / "book.abc").read_text().split("\n\n")[2] == abc.replace("X:1", "X:3")
    assert lilt("check", "tune.musicxml", "tune.mid").returncode == 0
    assert lilt("render", "tune.musicxml", "-o", "higher.abc", "--transpose", "2").returncode == 0
    assert (tmp_path / "higher.abc").read_text().endswith("K:E\n|:EGB e2g|bge E3:|\n")
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    broken = lilt("import", "broken.mid")
    assert (broken.returncode, broken.stderr) == (2, "error: broken.mid: the MIDI file is broken, or broken off\n")
