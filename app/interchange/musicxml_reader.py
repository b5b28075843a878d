"""Reads MusicXML, partwise or timewise, into a `Score`."""

from xml.etree.ElementTree import Element

from app.abc.fields import SHORT_TEXT
from app.abc.keys import Key
from app.abc.pitch import SEMITONES_PER_OCTAVE
from app.abc.score import Score, Voice
from app.errors import NotationError
from app.interchange import musicxml_document
from app.interchange import musicxml_values as values
from app.interchange.import_report import ImportReport
from app.interchange.key_signatures import ending_on
from app.interchange.musicxml_document import Measure
from app.interchange.musicxml_part import MAX_VOICES, Part

_MAX_NOTES = 10_000


def read(content: bytes, report: ImportReport) -> Score:
    """The score of a document.

    Args:
        content: MusicXML, as a file has it.
        report: told what of it is left out.

    Raises:
        NotationError: it is no MusicXML, has no notes, or is larger than is allowed.
    """
    document = _Document(report)
    musicxml_document.read(content, document.take_header, document.take_measure)
    return document.score()


class _Document:
    """A score as it is being read."""

    def __init__(self, report: ImportReport) -> None:
        self._report = report
        self._title = self._movement = self._credit = self._composer = self._rhythm = ""
        self._names: dict[str, str] = {}
        self._parts: dict[str, Part] = {}
        self.notes = 0

    def take_header(self, element: Element) -> None:
        """What is said beside the parts."""
        match element.tag:
            case "work":
                self._title = values.text_of(element, "work-title")
            case "movement-title":
                self._movement = values.own_text(element)
            case "identification":
                creators = {each.get("type", ""): values.own_text(each) for each in element.findall("creator")}
                self._composer = creators.get("composer") or next(iter(creators.values()), "")
                fields = element.findall("miscellaneous/miscellaneous-field")
                named = (values.own_text(each) for each in fields if each.get("name") == values.RHYTHM_FIELD)
                self._rhythm = next(named, "")
            case "credit" if values.text_of(element, "credit-type") == "title" and not self._credit:
                self._credit = values.text_of(element, "credit-words")
            case "part-list":
                self._names = {
                    each.get("id", ""): values.text_of(each, "part-name") for each in element.findall("score-part")
                }

    def take_measure(self, measure: Measure) -> None:
        """A measure of a part."""
        part = self._parts.get(measure.part)
        if part is None:
            if len(self._parts) >= MAX_VOICES:
                self._report.leave_out(f"part {self._name(measure.part)}: no more than {MAX_VOICES} are read")
                return
            part = self._parts[measure.part] = Part(self._report, self._count)
        part.take(measure)

    def _count(self, notes: int) -> None:
        self.notes += notes
        if self.notes > _MAX_NOTES:
            raise NotationError(f"it has more than the {_MAX_NOTES:,} notes and rests that are allowed")

    def _name(self, part: str) -> str:
        return self._names.get(part) or part or "without a name"

    def score(self) -> Score:
        """All that was read."""
        voices: list[Voice] = []
        first: Part | None = None
        for name, part in self._parts.items():
            made = part.voices()
            if not made:
                self._report.leave_out(f"part {self._name(name)}: it has no pitched notes")
                continue
            first = first or part
            label = self._names.get(name, "")[:SHORT_TEXT]
            for voice in made:
                if len(voices) < MAX_VOICES:
                    voices.append(
                        Voice(str(len(voices) + 1), voice.bars, label or None, voice.clef, voice.transposition)
                    )
                else:
                    self._report.leave_out(f"a staff of part {self._name(name)}: no more than {MAX_VOICES} are read")
        if first is None:
            raise NotationError("there is not a note in the score")
        if len(voices) == 1:
            voices[0].name = None
        title = self._title or self._movement or self._credit
        return Score(
            titles=(title[:SHORT_TEXT],) if title else (),
            composer=self._composer[:SHORT_TEXT] or None,
            rhythm=self._rhythm[:SHORT_TEXT] or None,
            key=_with_tonic(first.key, voices[0]),
            meter=first.meter,
            tempo=first.tempo,
            parts=None,
            voices=voices,
            tempo_mark=first.tempo_mark,
        )


def _with_tonic(key: Key, voice: Voice) -> Key:
    """A key with its tonic; where the document names no mode, the one that the last note is a tonic of."""
    if key.tonic or key.altered:
        return key
    last = next((c.pitches[-1] for bar in reversed(voice.bars) for c in reversed(bar.chords) if c.pitches), None)
    return ending_on(key.fifths, last.midi % SEMITONES_PER_OCTAVE if last else None)
