"""What the fields of answers mean, with an example of each, where `app.api.schemas` and the store do not say it."""

from collections.abc import Mapping
from typing import Any

_BARS = "Numbers of bars; they count from 1, a pickup before them is 0."
_ABC = "X:1\nR:jig\nM:6/8\nL:1/8\nK:D\n|:DFA d2f|afd D3:|\n"
_FAULT = {"message": "a slip jig is in 9/8, not in C|", "field": "meter"}
_MODEL_ID = {"name": "irish", "version": 4, "hash": "7cbeb3f4"}

Told = Mapping[str, tuple[str, Any]]

OF_ANY: Told = {
    "abc": ("The tune in ABC notation.", _ABC),
    "bar": ("The bar, as it is counted in the text.", 2),
    "column": ("Where in the line, from 1.", 9),
    "line": ("Which line of the text, from 1.", 6),
    "message": ("What is wrong, in words that may change.", "a slip jig is in 9/8, not in C|"),
    "model": ("Which model made it.", _MODEL_ID),
    "name": ("By what name it is asked for.", "irish"),
    "version": ("Which version of it.", 4),
    "hash": ("The digest of its manifest: what exactly made a tune.", "7cbeb3f4"),
    "title": ("The tune's title; null where it has none.", "The Morning Dew"),
    "corpus": ("The book that it stands in.", "oneills"),
}
OF_MODEL: Mapping[str, Told] = {
    "ChordAt": {"bar": (_BARS, 1), "symbol": ("The chord, as it is written in ABC.", "G")},
    "ChordsResponse": {"chords": ("The chords that were found.", [{"bar": 1, "quarters": 0.0, "symbol": "G"}])},
    "CheckResponse": {"problems": ("All that is wrong, in the order of the text.", [])},
    "CheckedProblem": {
        "severity": ("An error keeps it from being played; a note tells what was left out.", "error"),
        "source": ("Who found it.", "reader"),
    },
    "CorpusRecord": {
        "name": ("What the book is called here.", "oneills"),
        "origin": ("Where it comes from.", "O'Neill's Music of Ireland"),
        "licence": ("Under what terms it may be used.", "public domain"),
        "tunes": ("How many of its tunes were learnt from.", 1850),
        "characters": ("How long they are together.", 512000),
        "sha256": ("Of the book as it was read.", "9f86d081"),
    },
    "Defaults": {
        "start_string": ("What tunes begin with where nothing else is said.", "X:1\n"),
        "length": ("How many characters the page asks for.", 1000),
        "temperature": ("How wildly the page draws.", 1.0),
    },
    "GenerateResponse": {
        "abc": ("The start string and all that followed it.", _ABC),
        "tunes": ("The tunes in it, one by one.", []),
        "seed": ("With the same request, makes the same text again.", 7),
        "finish_reason": ("`tunes`: so many were finished; `length`: so many characters were made.", "tunes"),
    },
    "GeneratedTune": {
        "key": ("As in `K:`.", "Ador"),
        "meter": ("As in `M:`.", "6/8"),
        "rhythm": ("As in `R:`.", "jig"),
        "problems": ("What the grammar finds wrong with it, such as faults of the start string.", []),
    },
    "Health": {"status": ("Always `ok`.", "ok")},
    "ImportResponse": {"problems": ("All that is wrong with the tune, in the order of its text.", [])},
    "Input": {
        "name": ("What the network is told beside the character.", "place"),
        "factors": ("How many values each part of it has.", [32, 4]),
        "dims": ("How wide its embedding is.", 64),
        "gate": ("Whether it decides how much is copied.", False),
    },
    "LoadedModel": {
        "created": ("When it was published.", "2026-11-27T10:00:00+00:00"),
        "config": ("The network.", {"rnn_units": 512}),
        "vocabulary": ("The characters that it knows, in order.", "\n !ABCDEFG"),
        "corpora": ("What it was trained on.", []),
        "metrics": ("What was measured when it was published.", {"test_nats": 0.75}),
        "defaults": ("What the page asks of it.", {"temperature": 1.0}),
        "menus": ("What can be asked of it.", {"rhythms": ["reel", "jig"]}),
    },
    "ModelList": {"models": ("The default first.", [])},
    "ModelMenus": {
        "keys": ("For `key`.", ["G", "D", "Ador"]),
        "meters": ("For `meter`.", ["4/4", "6/8"]),
        "rhythms": ("For `rhythm`; no others are taken.", ["reel", "jig"]),
        "forms": ("For `form`.", ["AABB8"]),
        "meters_of_rhythm": ("For `meter` beside a rhythm.", {"jig": ["6/8"]}),
    },
    "NearestTune": {"bars": (_BARS, [1, 2, 3, 4])},
    "ProblemDocument": {
        "type": ("The kind of problem, for programs.", "urn:lilt:problem:request"),
        "title": ("The kind, in words.", "Request cannot be met"),
        "status": ("The status of the response.", 422),
        "detail": ("What was wrong this time, where, and what is allowed.", _FAULT["message"]),
        "errors": ("One by one, where fields or places are at fault.", [_FAULT]),
    },
    "ProblemFault": {
        "field": ("Which field of the request; `bars.1` is the second of a list.", "meter"),
        "position": ("Which character of the field, from 0.", 12),
    },
    "Readiness": {
        "status": ("`degraded`: tunes can be made but not rendered.", "ready"),
        "models": ("What is loaded.", [_MODEL_ID]),
        "decoder": ("What runs the network.", "litert"),
        "sandbox": ("What holds the programs that read strangers' tunes.", "bubblewrap"),
        "synthesizer": ("What plays.", "fluidsynth"),
        "missing": ("What rendering lacks.", []),
    },
    "TuneOriginality": {
        "judgement": (
            "`echoes` from four bars in a row on that stand in one known tune, `copies` from eight.",
            "original",
        ),
        "nearest": ("The known tune that those bars stand in; null where there is none.", None),
    },
    "Version": {"version": ("Of Lilt.", "0.1.0")},
}


def told_of(model: str, field: str) -> tuple[str, Any] | None:
    """Description and example of a field; None where there is none here."""
    return OF_MODEL.get(model, {}).get(field) or OF_ANY.get(field)
