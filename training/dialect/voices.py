"""The first melody of a tune of several voices."""

import re

from app.abc.tunebook import FIELD, has_notes
from training.errors import DialectError

_TURN = re.compile(r"\[V:\s*([^\]\s]*)([^\]]*)\]")
_IS_NO_MELODY = re.compile(r"\b(?:perc|bass)\b")
_SOUNDS_OTHERWISE = re.compile(r"\b(?:octave|transpose|score|shift)=|[+-](?:8|15)\b")


def first_melody(definitions: list[str], music: list[str]) -> list[str]:
    """The lines of the first voice that has notes and is neither a bass nor percussion; all where there is one voice.

    Args:
        definitions: what the header's `V:` fields say.
        music: the lines after it; what stands there before any voice goes for all of them.

    Raises:
        DialectError: that voice sounds otherwise than it is written.
    """
    said: dict[str, str] = {}
    lines: dict[str, list[str]] = {"": []}
    now = ""

    def turn_to(text: str) -> None:
        nonlocal now
        now, _, properties = text.strip().partition(" ")
        said[now] = f"{said.get(now, '')} {properties}"
        lines.setdefault(now, [])

    for definition in definitions:
        name, _, properties = definition.strip().partition(" ")
        said[name] = properties
    for line in music:
        field = FIELD.match(line)
        if field and field[1] == "V":
            turn_to(field[2])
        elif field:
            lines[now].append(line)
        else:
            piece, *turns = _TURN.split(line)
            if piece or not turns:
                lines[now].append(piece)
            for name, properties, music_ in zip(turns[::3], turns[1::3], turns[2::3], strict=True):
                turn_to(name + properties)
                lines[now].append(music_)
    for_all = lines.pop("")
    if any(_is_music(line) for line in for_all):
        return for_all
    voices = [name for name, found in lines.items() if any(_is_music(line) for line in found)]
    melodies = [name for name in voices if not _IS_NO_MELODY.search(said[name])] or voices
    if not melodies:
        return for_all
    if _SOUNDS_OTHERWISE.search(said[melodies[0]]):
        raise DialectError("a voice that sounds otherwise than it is written")
    return for_all + lines[melodies[0]]


def _is_music(line: str) -> bool:
    return not FIELD.match(line) and has_notes(line)
