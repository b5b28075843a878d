"""Parses abc2midi's warnings and errors, and words them for musicians, with line, column and bar."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import Fault

_COMPLAINT = re.compile(r"(Error|Warning) in line-char (\d+)-(\d+) : (.*)")
_BAR = re.compile(r"[Bb]ar (\d+)")
_MAX_COMPLAINTS = 20
_MAX_CHARACTERS = 200


@dataclass(frozen=True)
class _Wording:
    pattern: re.Pattern[str]
    plain: str | Callable[[re.Match[str]], str]


def _bar_length(match: re.Match[str]) -> str:
    found, wanted = match[2].strip(), match[3].strip()
    return f"bar {match[1]} holds {found} beats where the metre has {wanted}"


_WORDINGS = (
    _Wording(re.compile(r"Track \d+ Bar (\d+) has (.+?) (?:time )?units? while the time signature has (.+)"),
             _bar_length),
    _Wording(re.compile(r"Missing repeat|Assuming repeat|Unexpected :\||Found unexpected|Too many end repeats"),
             "a repeat ends here that nothing begins: |: is missing before it"),
    _Wording(re.compile(r"Missing :\||Expecting repeat"), "a repeat is begun that nothing ends: :| is missing"),
    _Wording(re.compile(r"Chord already finished"), "a ] without its [: the chord has ended already"),
    _Wording(re.compile(r"incomplete chord|nest chords"), "a [ without its ]: the chord is never ended"),
    _Wording(re.compile(r"Cannot find note before tie|Time mismatch at tie|Could not find note to be tied|Bad tie"),
             "a tie that leads to no note of the same pitch"),
    _Wording(re.compile(r"unfinished tuple|nested tuples|Only tuples|Different length notes in tuple"),
             "a tuplet that is not filled with as many equal notes as it names"),
    _Wording(re.compile(r"Notes not equal durations"), "> and < stand between two notes of the same written length"),
    _Wording(re.compile(r"broken rhythm", re.IGNORECASE), "> or < without a note on both its sides"),
    _Wording(re.compile(r"[Gg]race"), "grace notes that nothing can be made of"),
    _Wording(re.compile(r"Guitar chord does not start|Unrecognized chord name"),
             "text in quotes that is no chord: write \"^text\""),
    _Wording(re.compile(r"name not properly closed"), "a quotation mark without its second"),
    _Wording(re.compile(r"Malformed note|illegal note"), "an accidental or octave mark without its note"),
    _Wording(re.compile(r"malformed repeat"), "a bar line that is none"),
    _Wording(re.compile(r"No M:"), "there is no M: field, so the metre is taken to be 4/4"),
    _Wording(re.compile(r"Unusual key|No valid K:|must specify key"),
             "the K: field names no key with seven sharps or flats at the most"),
    _Wording(re.compile(r"Slur within slur"), "a slur begins within another"),
)  # fmt: skip


def complaints(output: bytes) -> tuple[Fault, ...]:
    """The complaints that name a place, errors before warnings; columns are 1-based."""
    found = _COMPLAINT.findall(output.decode("utf-8", errors="replace"))
    found.sort(key=lambda complaint: complaint[0] != "Error")
    return tuple(_fault(*complaint) for complaint in found[:_MAX_COMPLAINTS])


def _fault(kind: str, line: str, column: str, text: str) -> Fault:
    bar = _BAR.search(text)
    words = f"{kind.lower()}: {plain_words(text.strip())}"
    return Fault(words, line=int(line), column=int(column) + 1, bar=min(int(bar[1]), 9999) if bar else None)


def plain_words(text: str) -> str:
    """One complaint, as a musician would say it; abc2midi's own words after it, or alone where none are known."""
    text = "".join(c for c in text if c.isprintable())[:_MAX_CHARACTERS]
    for wording in _WORDINGS:
        match = wording.pattern.search(text)
        if match:
            plain = wording.plain if isinstance(wording.plain, str) else wording.plain(match)
            return f"{plain} ({text})"
    return text
