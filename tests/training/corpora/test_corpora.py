"""Corpora are named on the command line; each says where it is from, and what became of it is reported."""

import csv
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.training.conftest import ten_tunes
from training.cli.main import main
from training.corpora import corpora, corpus, corpus_report, music21_corpora, thesession
from training.corpora.thesession import COLUMNS
from training.errors import ConfigError, CorpusError
from training.learning.config import TrainingConfig
from training.learning.run_folder import RunFolder

ROWS = [
    # as the dump has them: the body alone, a mode in one word, Windows line ends
    (
        "1",
        "1",
        "Banshee, The",
        "reel",
        "4/4",
        "Gmajor",
        "|:G2GD EDB,D|GFGB d2Bd:|\r\n|:e3d edBA|GFGB dedB:|",
        "2001",
    ),
    ("1", "12", "Banshee, The", "reel", "4/4", "Gmajor", "|:G2 GD E2 DB,|G2 GB d2 Bd:|", "2003"),
    ("2", "2", "Kesh, The", "jig", "6/8", "Gmajor", "G3 GAB|A3 ABd|edd gdd|edB dBA:|", "2001"),
    (
        "3",
        "3",
        "Drowsy Maggie",
        "reel",
        "4/4",
        "Edorian",
        "|:E2BE dEBE|E2BE AFDF:|\r\n\r\nd2fd c2ec|d8|]",
        "2001",
    ),
    ("4", "4", "Faulty", "reel", "4/4", "Amixolydian", "|:A2|Bcdef:|", "2001"),
    ("5", "5", "Empty", "waltz", "3/4", "Dmajor", "", "2001"),
]
NAMES = [*COLUMNS, "date", "username", "composer"]


def dump(folder: Path, suffix: str) -> Path:
    """A dump of those rows."""
    path = folder / f"tunes{suffix}"
    rows = [dict(zip(NAMES, (*row, "someone", ""), strict=True)) for row in ROWS]
    if suffix == ".json":
        path.write_text(json.dumps(rows), "utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, NAMES)
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_the_sessions_dump_is_read(tmp_path: Path, suffix: str) -> None:
    book = thesession.open_book(dump(tmp_path, suffix))
    assert book.tunes[3] == (
        "X:3\nT:Drowsy Maggie\nR:reel\nM:4/4\nL:1/8\nK:E dorian\n|:E2BE dEBE|E2BE AFDF:|\nd2fd c2ec|d8|]"
    )
    assert book.kin == ("thesession 1", "thesession 1", "thesession 2", "thesession 3", "thesession 4")
    assert [str(reject) for reject in book.rejects] == [f"tunes{suffix}:6: no notes"]
    assert "ODbL" in book.licence


def test_the_sessions_settings_are_translated_and_kept_together(tmp_path: Path) -> None:
    read = corpus.load([f"thesession:{dump(tmp_path, '.csv')}"], translate=True)
    assert read.tunes[0].startswith("X:1\nT:The Banshee\nR:reel\nM:4/4\nL:1/8\nK:G\n|:G2GD EDB,D|")
    assert read.tunes[2].endswith("|:G3 GAB|A3 ABd|edd gdd|edB dBA:|")
    assert [(drop.book, drop.reason) for drop in read.drops] == [
        ("thesession", "repeat whose last bar does not fit its first"),
    ]
    assert read.places[0] == read.places[1]
    (record,) = read.records
    assert (record.tunes, record.licence) == (4, thesession.LICENCE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tune_id,name\n1,A\n", "row 1 has no setting_id"),
        ('{"a": 1}', "not a list of settings"),
        ("[1", "not a dump of thesession.org"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / ("tunes.csv" if content.startswith("tune_id") else "tunes.json")
    path.write_text(content)
    with pytest.raises(CorpusError, match=message):
        thesession.open_book(path)
    with pytest.raises(CorpusError, match="No such file"):
        thesession.open_book(tmp_path / "none.csv")


def test_named_books_come_first_in_the_order_of_their_table(tmp_path: Path) -> None:
    (tmp_path / "mine.abc").write_text("X:1\nT:Mine\nM:C\nL:1/8\nK:D\nA8|B8|]\n")
    books = corpora.open_books([str(tmp_path / "mine.abc"), f"thesession:{dump(tmp_path, '.csv')}", "lab"])
    assert [book.name for book in books] == ["irish", "thesession", "mine"]
    assert [book.name for book in corpora.open_books([])] == ["irish"]


def test_each_book_can_be_named_again(tmp_path: Path) -> None:
    (tmp_path / "mine.abc").write_text("X:1\nT:Mine\nM:C\nL:1/8\nK:D\nA8|B8|]\n")
    books = corpora.open_books([f"thesession:{dump(tmp_path, '.csv')}", str(tmp_path / "mine.abc"), "lab"])
    assert [corpora.argument(book.name, book.origin) for book in books] == ["lab", "thesession:tunes.csv", "mine.abc"]


def test_another_wheel_is_refused() -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("music21/corpus/oneills1850/a.abc", "X:1\n")
    with pytest.raises(CorpusError, match="is not the expected dc330949"):
        music21_corpora.read_wheel(content.getvalue(), music21_corpora.SOURCES[0])


def test_the_report_counts_and_lists_what_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "report.json"
    assert main(["corpus", "--corpus", f"thesession:{dump(tmp_path, '.csv')}", "--json", str(told)]) == 0
    printed = capsys.readouterr().out
    assert "5 tunes read, 4 kept (80.0%)" in printed
    assert "dropped    1: repeat whose last bar does not fit its first" in printed
    report = json.loads(told.read_text("utf-8"))
    assert report["left_out"] == ["thesession, X:4, Faulty: repeat whose last bar does not fit its first"]
    assert report["not_tunes"] == ["tunes.csv:6: no notes"]
    (book,) = report["books"]
    assert book["clean_translated"] == book["kept"] == 4


def test_leaks_are_counted_before_and_after() -> None:
    before = corpus_report._across([(0, 1), (0, 2), (1, 2)], [0.1, 0.95, None])
    assert before == {"test and train": 1}


def test_a_run_may_learn_the_translated_text(tmp_path: Path) -> None:
    assert not TrainingConfig.from_recipe("lab").translate
    assert not TrainingConfig.from_recipe("small").translate
    config = TrainingConfig.from_recipe("small", {"translate": "true"})
    assert config.translate
    assert TrainingConfig.from_json(config.to_json()) == config
    with pytest.raises(ConfigError, match="'yes' is not true or false"):
        TrainingConfig.from_recipe("small", {"translate": "yes"})
    read = corpus.load([f"thesession:{dump(tmp_path, '.csv')}"], translate=config.translate)
    run = RunFolder.create(tmp_path / "run", config, read)
    assert run.corpus().vocabulary == read.vocabulary
    assert run.corpus().sides == read.sides


def test_a_folder_of_files_is_one_book_and_is_read_again_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "session"
    (folder / "reels").mkdir(parents=True)
    for number, tune in enumerate(ten_tunes()):
        (folder / ("reels" if number % 2 else ".") / f"{number}.abc").write_text(tune + "\n")
    monkeypatch.chdir(tmp_path)
    loaded = corpus.load(["session", "session/*.abc"])
    (record,) = loaded.records
    assert (record.name, record.origin, record.tunes) == ("session", "session, a folder of 10 files", 10)
    assert corpora.argument(record.name, record.origin) == "session"
    assert corpus.load([corpora.argument(record.name, record.origin)]).records == loaded.records
