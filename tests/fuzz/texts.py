"""Texts to fuzz with: mutations of tunes, and a Hypothesis grammar of what looks like ABC."""

import random
from pathlib import Path

from hypothesis import strategies as st

from tests.growing_texts import GROWING, MAX_BYTES
from tests.servers import ROOT

APP_TESTS = ROOT / "tests" / "app" / "rendering"
TOKENS = [
    "%%MIDI program 9999 9999",
    "%%MIDI droneon",
    "%%MIDI drum d 60 127",
    "%%abc-include /etc/passwd",
    "I:abc-include /dev/zero",
    "[I:MIDI program 3]",
    "%%propagate-accidentals " + "x" * 400,
    "%%beginps",
    "%%MIDI gchord " + "f" * 200,
    "m:~n2=n4n4",
    "U:T=!trill!",
    "C99999999",
    "C999/",
    "C///////",
    "((((((",
    "[[[[",
    "]]]]",
    "{{{",
    "}",
    "(9:99:99",
    "(3:0:0",
    "(2",
    "!trill!",
    "+fermata+",
    '"A',
    '"^',
    '"A' * 20,
    "Z999",
    "z999999",
    "^^^^",
    "__=",
    "''''''",
    ",,,,,,",
    "|:::::",
    ":::::|",
    "|1,2-9",
    "[1-9",
    "P:((A9)9)9",
    "P:A99999999",
    "Q:1/4=1",
    "Q:0",
    "Q:99999999",
    "Q:1/0=3",
    "M:0/0",
    "M:999/999",
    "M:1/4+99/4",
    "M:none",
    "M:C|",
    "L:1/1",
    "L:0",
    "L:1/0",
    "L:1/512",
    "K:G#maj7",
    "K:none",
    "K:Hp",
    "K:C exp ^f^c_b",
    "K:" + "b" * 300,
    "V:1",
    "V:2 clef=bass",
    "V:" + "9" * 200,
    "w:la-la * ~ _ |",
    "W:words",
    "&",
    "&&&",
    "\\",
    "$",
    "*",
    "`",
    "\t",
    "\0",
    "\x1b[2J",
    "\u2028",
    "\ud83d\ude00",
    "\ufeff",
    "%s%s%n",
    "../../../etc/passwd",
    "$(reboot)",
    "; rm -rf /",
    "<script>",
    "&lt;",
    "]]>",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "X:2",
    "T:",
    "%%score (1 2)",
    "%%staves [1 2]",
    "%%scale 0.5",
    "s:!f!",
    's:!D.C.! * "Am" | !fine!',
    "m:~G2={A}G{F}G",
    "m:!turn!A=A/B/",
    "!D.C.!",
    "!D.S.alcoda!",
    "!segno!",
    "!coda!",
    "!fine!",
    "r:remark",
    "N:" + "n" * 2000,
    "C" * 900,
    "[CEGceg]" * 60,
]
SEEDS = [
    path.read_text("utf-8") for folder in ("tunes", "hostile") for path in sorted((APP_TESTS / folder).glob("*.abc"))
]


def seeds() -> list[str]:
    """The fixtures, and the lab's tunes where they have been fetched."""
    lab = ROOT / "corpora" / "irish.abc"
    return SEEDS + (lab.read_text("utf-8").split("\n\n") if lab.exists() else [])


def grow(chance: random.Random) -> str:
    """A text that grows in one thing, or in two one after the other, as large as may be sent or smaller."""
    size = round(MAX_BYTES ** chance.uniform(0.6, 1.0))
    one, other = (GROWING[chance.choice(list(GROWING))](size) for _ in range(2))
    return one if chance.random() < 0.5 else one[: len(one) // 2] + other[len(other) // 2 :]


def mutate(text: str, chance: random.Random, others: list[str]) -> bytes:
    """A text after one to six small accidents."""
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        lines = text.split("\n")
        line = chance.randrange(len(lines))
        match chance.randrange(9):
            case 0:
                text = text[:at] + chance.choice(TOKENS) + text[at:]
            case 1:
                text = "\n".join([*lines[:line], chance.choice(TOKENS), *lines[line:]])
            case 2:
                text = text[:at] + text[at + chance.randrange(1, 30) :]
            case 3:
                text = "\n".join([*lines[:line], *[lines[line]] * chance.choice((2, 3, 40)), *lines[line + 1 :]])
            case 4:
                text = (
                    text[:at]
                    + chr(chance.choice((0, 7, 10, 34, 40, 58, 91, 92, 93, 124, 0xE9, 0x2028, 0x1F600)))
                    + text[at:]
                )
            case 5:
                other = chance.choice(others)
                text = text[:at] + other[chance.randrange(len(other) + 1) :]
            case 6:
                digits = [index for index, character in enumerate(text) if character.isdigit()]
                if digits:
                    index = chance.choice(digits)
                    text = (
                        text[:index]
                        + chance.choice(("0", "9", "99", "999", "2147483648", "-1", "1/0"))
                        + text[index + 1 :]
                    )
            case 7:
                chance.shuffle(lines)
                text = "\n".join(lines)
            case _:
                text = text[:at] + text[:at]
        text = text[:60_000]
    content = text.encode("utf-8", errors="surrogatepass")
    if chance.random() < 0.05:
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(content) + 1)
            content = content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
    return content


_note = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "^", "_", "=", "^^"]),
        st.sampled_from(list("CDEFGABcdefgabzxZ")),
        st.sampled_from(["", "'", ",", ",,"]),
        st.sampled_from(["", "2", "3", "/", "3/2", "//", "999", "/64", "16"]),
        st.sampled_from(["", "", "-", ">", "<", ">>"]),
    ),
)
_piece = st.one_of(
    _note,
    st.lists(_note, min_size=1, max_size=8).map(lambda notes: "[" + "".join(notes) + "]"),
    st.lists(_note, max_size=4).map(lambda notes: "{" + "".join(notes) + "}"),
    st.tuples(st.integers(0, 10), st.lists(_note, max_size=10)).map(lambda t: f"({t[0]}" + "".join(t[1])),
    st.sampled_from(
        [
            "|",
            "||",
            "|]",
            "|:",
            ":|",
            "::",
            "|1",
            ":|2",
            "[1",
            "[2",
            " ",
            "(",
            ")",
            "~",
            "\n",
            '"Am7/G"',
            '"^text"',
            "!trill!",
        ]
    ),
    st.sampled_from(TOKENS),
    st.text(max_size=3),
)
_field = st.one_of(
    st.sampled_from(["M:6/8", "M:C", "M:7/16", "L:1/16", "Q:3/8=120", "R:reel", "P:ABA", "C:x", "V:1", "V:2"]),
    st.tuples(st.sampled_from("ABCDFGHILMNOPQRSTUVWZmrsw"), st.text(max_size=20)).map(":".join),
)
tunes = st.builds(
    lambda fields, key, pieces: "\n".join(["X:1", *fields, f"K:{key}", "".join(pieces), ""]),
    st.lists(_field, max_size=6),
    st.sampled_from(["C", "D", "Gmix", "Edor", "F#m", "Cb", "none", "HP", "G#", "Amin exp ^f"]),
    st.lists(_piece, max_size=120),
)
"""Texts that look like a tune."""


def write_finding(folder: Path, name: str, content: bytes) -> None:
    """Keep what got an answer that it should not have."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.abc").write_bytes(content)
