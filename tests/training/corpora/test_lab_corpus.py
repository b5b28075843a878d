"""The lab's tunebook is the one that the lab uses."""

import pytest

from training.corpora import corpus, lab_corpus
from training.errors import CorpusError


@pytest.fixture(scope="module")
def songs() -> list[str]:
    return lab_corpus.extract_song_snippets(lab_corpus.load_text())


def test_the_labs_splitting_finds_817_songs(songs: list[str]) -> None:
    assert len(songs) == 817


def test_joined_with_blank_lines_they_have_83_distinct_characters(songs: list[str]) -> None:
    assert len(set("\n\n".join(songs))) == 83


def test_two_songs_do_not_begin_with_a_number(songs: list[str]) -> None:
    assert sum(not song.strip().startswith("X:") for song in songs) == 2


def test_the_corpus_keeps_each_whole_tune_once() -> None:
    lab = corpus.load([])
    assert len(lab.tunes) == len(set(lab.tunes)) == 802
    assert len(lab.vocabulary) == 83
    assert [(reject.line, reject.reason) for reject in lab.rejects] == [
        (239, "no notes after K:"),
        (246, "no X: field"),
        (7182, "no notes after K:"),
        (7189, "no X: field"),
    ]
    (record,) = lab.records
    assert (record.licence, record.tunes, record.sha256) == ("MIT", 802, lab_corpus.TUNEBOOK_SHA256)


def test_another_package_is_refused() -> None:
    with pytest.raises(CorpusError, match="is not the expected 6713b8a3"):
        lab_corpus.content_of(b"not the package", "mitdeeplearning-0.2.0.tar.gz")


def test_a_corpus_survives_being_written_down() -> None:
    lab = corpus.load([])
    again = corpus.Corpus.from_json(lab.to_json())
    assert (again.tunes, again.text, again.records) == (lab.tunes, lab.text, lab.records)
