"""A tune's melody is that of its score, and its bars are those that were published."""

from fractions import Fraction
from pathlib import Path

import pytest

from app.abc.fingerprint import WHOLE_NOTE, melody, read_voices
from app.abc.reader import read
from model_store.store import Store
from model_store.tune_index import TuneIndex

HEADER = "X:1\nM:6/8\nL:1/8\nK:G\n"

Voices = list[list[tuple[list[int | None], list[Fraction], set[int]]]]


@pytest.fixture(scope="module")
def index() -> TuneIndex:
    """The training tunes of the model that comes with the service."""
    store = Store(Path(__file__).parents[3] / "model_store/checkpoints")
    index = store.load("irish", store.current("irish")).tune_index()
    assert index
    return index


def heard(abc: str) -> Voices:
    """Pitches, lengths and ties, bar by bar."""
    return [
        [(bar.pitches, [Fraction(ticks, WHOLE_NOTE) for ticks in bar.ticks], bar.ties) for bar in bars]
        for bars in read_voices(abc)
    ]


def written(abc: str) -> Voices:
    """The same of the score."""
    return [
        [
            (
                [max((pitch.midi for pitch in chord.pitches), default=None) for chord in bar.chords],
                [chord.length for chord in bar.chords],
                {index for index, chord in enumerate(bar.chords) if chord.is_tied},
            )
            for bar in voice.bars
        ]
        for voice in read(abc).voices
    ]


def test_the_melody_of_training_tunes_is_that_of_their_scores(index: TuneIndex) -> None:
    for tune in range(0, len(index), 5):
        assert heard(index.abc(tune)) == written(index.abc(tune))


@pytest.mark.parametrize(
    "abc",
    [
        HEADER + "^f=F{^g}g_b'|f{=a}a,|[K:D]f[K:Bb exp ^c]cb|\nK:none\nf|",
        HEADER + "A>B c<<d|e>>>f g>|a <b|>c2|z>d|",
        HEADER + "ABc&Z|def&X2|gab&&Z|c3|",
        HEADER + "(3ABc (5ABcde|(2AB (3:2:4ABcd|(3A|Bc (9ABcdefgab (4|abcd|",
        HEADER + '[CE^G]2 [c/e/]3/ [A-c] c|["x]-y"A]2-|A-z-|[]3 [z]|[^fa]f|',
        HEADER + "Z|Z3|X2|Z0|z0 A0 zx/|(3Z2A|",
        HEADER + "A|1B:|2c|]d::e[1f|[2g||a:|b",
        HEADER + "A[M:3/4]B|c[L:1/16]d/[L:0]e|\nM:C|\nL:1/4\nf|\nP:B\ng",
        HEADER + "A|[V:2]b|\nV:1\nc\nV:2 name\n^d|d\n%V:1\ne % f\nd:|",
        HEADER + "[V:2]b|[V:1]a|",
        HEADER.replace("L:1/8\n", "") + "A|B",
        HEADER.replace("M:6/8", "M:3/8").replace("L:1/8\n", "") + "A|B",
        HEADER.replace("6/8", "none") + "A8|B|",
        HEADER + '"Am"A!trill!B.c~d(e)f u*g#?|\n\nA|\n  % |B\n%%c|',
        "X:1\nL:1/4\nL:x\nM:2/4\nM:C\nK:Dmix\nK:A\nfc|",
        "X:1\nT:no key\nABc|",
    ],
)
def test_the_melody_of_any_text_is_that_of_its_score(abc: str) -> None:
    assert heard(abc) == written(abc)


def test_the_published_index_holds_the_bars_that_are_looked_up(index: TuneIndex) -> None:
    """Who changes what a bar is must publish every index anew."""
    bars = [bar for tune in range(len(index)) for bar in melody(index.abc(tune))]
    assert [bar.shape for bar in bars] == index.bars.tolist()
    assert [bar.high for bar in bars] == index.highs.tolist()
    assert [bar.number for bar in bars] == index.numbers.tolist()
