"""Reads the events of a stranger's Standard MIDI File, a few microseconds each and bounded as they come.

mido, which the rest of Lilt uses, takes seconds over a length that is written with thousands of bytes. Standard MIDI
Files 1.0, MMA, RP-001.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from app.errors import NotationError

MAGIC = b"MThd"
MAX_BYTES = 1024 * 1024
MAX_NOTES = 20_000
_TRACK = b"MTrk"
_HEADER_BYTES, _CHUNK_BYTES = 14, 8
_MAX_TRACKS = 256
_MAX_NUMBER_BYTES = 4
_MAX_TICK = 2**31
_META, _SYSEX, _ESCAPE = 0xFF, 0xF0, 0xF7
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_NAME, _LYRIC, _TEMPO, _METER, _KEY = 0x03, 0x05, 0x51, 0x58, 0x59
_PERCUSSION = 9


class MidiNote(NamedTuple):
    """A note, its times in ticks."""

    start: int
    end: int
    pitch: int
    velocity: int


@dataclass
class MidiFile:
    """What of a file is music; times in ticks."""

    ticks_per_quarter: int
    notes: dict[tuple[int, int], list[MidiNote]] = field(default_factory=dict)
    """by track and channel; of percussion there are none"""
    names: dict[int, str] = field(default_factory=dict)
    """of tracks"""
    tempos: list[tuple[int, int]] = field(default_factory=list)
    """microseconds a quarter note"""
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    """beats, and the part of a whole note that each is"""
    keys: list[tuple[int, int, bool]] = field(default_factory=list)
    """sharps, and whether it is minor"""
    percussion: int = 0
    lyrics: int = 0
    note_count: int = 0


def read(content: bytes) -> MidiFile:
    """The events of a file.

    Raises:
        NotationError: it is broken, or holds more than is allowed.
    """
    if len(content) > MAX_BYTES:
        raise NotationError(f"the MIDI file has {len(content):,} bytes; {MAX_BYTES:,} are allowed")
    if len(content) < _HEADER_BYTES or not content.startswith(MAGIC):
        raise _broken()
    division = int.from_bytes(content[12:14], "big")
    if division & 0x8000 or not division:
        raise NotationError("the MIDI file counts time in film frames, not in beats, which is not read here")
    file = MidiFile(division)
    at = _CHUNK_BYTES + int.from_bytes(content[4:8], "big")
    number = 0
    while at + _CHUNK_BYTES <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "big")
        if content[at : at + 4] == _TRACK:
            if number >= _MAX_TRACKS:
                raise NotationError(f"the MIDI file has more than the {_MAX_TRACKS} tracks that are allowed")
            _Track(file, number).read(content[at + _CHUNK_BYTES : at + _CHUNK_BYTES + size])
            number += 1
        at += _CHUNK_BYTES + size
    return file


def _broken() -> NotationError:
    return NotationError("the MIDI file is broken, or broken off")


class _Track:
    """One track as it is read."""

    def __init__(self, file: MidiFile, number: int) -> None:
        self._file = file
        self._number = number
        self._tick = 0
        self._sounding: dict[tuple[int, int], tuple[int, int]] = {}
        """by channel and pitch: since when, and how loud"""

    def read(self, content: bytes) -> None:
        try:
            for status, data in self._events(content):
                self._take(status, data)
        except IndexError:
            raise _broken() from None
        for channel, pitch in list(self._sounding):
            self._end(channel, pitch)

    def _events(self, content: bytes) -> Iterator[tuple[int, bytes]]:
        """Each event's status and data, a meta event's type before its data; `_tick` is its time."""
        at, running = 0, 0
        while at < len(content):
            delta, at = _number(content, at)
            self._tick = min(_MAX_TICK, self._tick + delta)
            status = content[at]
            if status >= 0x80:
                at += 1
            else:
                status = running
            if status == _META:
                size, start = _number(content, at + 1)
                yield status, content[at : at + 1] + content[start : start + size]
                at = start + size
            elif status in (_SYSEX, _ESCAPE):
                size, start = _number(content, at)
                at = start + size
            elif count := _DATA_BYTES.get(status & 0xF0):
                running = status
                if at + count > len(content):
                    raise _broken()
                yield status, content[at : at + count]
                at += count
            else:
                raise _broken()

    def _take(self, status: int, data: bytes) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        if status == _META:
            self._take_meta(data[0], data[1:])
        elif kind in (0x80, 0x90):
            self._end(channel, data[0] & 0x7F)
            if kind == 0x90 and data[1]:
                self._sounding[channel, data[0] & 0x7F] = self._tick, data[1] & 0x7F

    def _end(self, channel: int, pitch: int) -> None:
        begun = self._sounding.pop((channel, pitch), None)
        if begun is None or begun[0] == self._tick:
            return
        if channel == _PERCUSSION:
            self._file.percussion += 1
            return
        self._file.note_count += 1
        if self._file.note_count > MAX_NOTES:
            raise NotationError(f"the MIDI file has more than the {MAX_NOTES:,} notes that are allowed")
        start, velocity = begun
        note = MidiNote(start, self._tick, pitch, velocity)
        self._file.notes.setdefault((self._number, channel), []).append(note)

    def _take_meta(self, kind: int, data: bytes) -> None:
        if kind == _NAME and data:
            self._file.names.setdefault(self._number, _decoded(data))
        elif kind == _LYRIC:
            self._file.lyrics += 1
        elif kind == _TEMPO and len(data) == 3 and any(data):
            self._file.tempos.append((self._tick, int.from_bytes(data, "big")))
        elif kind == _METER and len(data) >= 2 and data[0] and data[1] <= 5:
            self._file.meters.append((self._tick, data[0], 2 ** data[1]))
        elif kind == _KEY and len(data) == 2:
            fifths = data[0] - 256 if data[0] > 127 else data[0]
            if abs(fifths) <= 7:
                self._file.keys.append((self._tick, fifths, data[1] == 1))


def _number(content: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    number = 0
    for index in range(at, at + _MAX_NUMBER_BYTES):
        byte = content[index]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, index + 1
    raise _broken()


def _decoded(data: bytes) -> str:
    try:
        return " ".join(data[:400].decode("utf-8").split())
    except UnicodeDecodeError:
        return " ".join(data[:400].decode("latin-1").split())
