"""`python -m benchmarks.formats TUNEBOOK`: every tune through every format, each judged by a reader of another make.

midi by mido; musicxml by music21 and by Verovio, its pitches beside those that abc2midi makes of the same notes; svg by
an XML parser that counts its notes; pdf by pypdf; wav, mp3, ogg and flac by miniaudio (none of libsndfile's decoders),
their length beside the performance's.
"""

import argparse
import asyncio
import io
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import mido
import miniaudio
import music21
import pypdf

from app.abc.reader import read
from app.abc.score import Score
from app.errors import LiltError
from app.rendering import engrave, sandbox
from app.rendering.arrangement import Arrangement
from app.rendering.cache import Cache
from app.rendering.external_tools import to_midi
from app.rendering.formats import Format, Kind
from app.rendering.render_job import RenderOptions
from app.rendering.renderer import Renderer

SOUNDFONT = Path("/usr/share/sounds/sf3/FluidR3Mono_GM.sf3")
QUICK = RenderOptions(Arrangement(tempo=400))
ORNAMENTS = re.compile(r"~|!(?:trill|roll|turn|mordent)!|\{[^}]*\}")
REPEATS = re.compile(r":*\|[1-9:]*:*|\[[12]|::")


def written_pitches(score: Score) -> list[int]:
    """What is struck, in order, repeats not taken."""
    pitches, tied = [], set[int]()
    for voice in score.voices:
        for bar in voice.bars:
            for chord in bar.chords:
                now = sorted(pitch.midi for pitch in chord.pitches)
                pitches += [pitch for pitch in now if pitch not in tied]
                tied = set(now) if chord.is_tied else set()
    return pitches


def midi_pitches(content: bytes) -> list[int]:
    file = mido.MidiFile(file=io.BytesIO(content))
    tick, events = 0, []
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        if message.type == "note_on" and message.velocity:
            events.append((tick, message.note))
    return [note for _, note in sorted(events)]


class Judges:
    """Renders one tune after another and counts what each judge says."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.verdicts: Counter[str] = Counter()
        self.complaints: list[str] = []

    async def judge(self, abc: str, formats: list[Format]) -> None:
        title = next(iter(re.findall(r"^T:(.*)", abc, re.MULTILINE)), "?")
        length_s = 0.0
        for format_ in formats:
            try:
                job = await self._renderer.job(abc, format_, QUICK)
                rendering = await self._renderer.render(job, whole=True)
                content = rendering.file.read()
                rendering.leave()
                if format_ is Format.MIDI:
                    length_s = mido.MidiFile(file=io.BytesIO(content)).length
                fault = await self._fault(format_, content, abc, length_s)
            except LiltError as error:
                fault = f"refused: {error.detail}"
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
            self.verdicts[f"{format_} {'bad' if fault else 'good'}"] += 1
            if fault:
                self.complaints.append(f"{format_}: {title.strip()}: {fault[:300]}")

    async def _fault(self, format_: Format, content: bytes, abc: str, length_s: float) -> str | None:
        if format_.kind is Kind.SOUND:
            return _sound_fault(content, length_s)
        judges: dict[Format, Callable[[bytes, str], str | None]] = {
            Format.MIDI: lambda content, _: None if midi_pitches(content) else "no notes",
            Format.SVG: _svg_fault,
            Format.PDF: _pdf_fault,
            Format.MUSICXML: _musicxml_fault,
        }
        fault = judges[format_](content, abc)
        return fault or (await self._beside_abc2midi(abc) if format_ is Format.MUSICXML else None)

    async def _beside_abc2midi(self, abc: str) -> str | None:
        """Whether the score's notes are the ones that abc2midi plays, repeats and ornaments taken out for both."""
        lines = [
            line if re.match(r"[A-Za-z]:", line) else REPEATS.sub("|", ORNAMENTS.sub("", line.rstrip("!")))
            for line in abc.split("\n")
        ]
        plain = "\n".join(line for line in lines if not line.startswith("P:"))
        with tempfile.TemporaryDirectory() as name:
            content = await to_midi(plain, Path(name), self._renderer.confinement)
        played, written = midi_pitches(content), written_pitches(read(plain))
        return None if sorted(played) == sorted(written) else f"{len(written)} notes written, {len(played)} played"


def _sound_fault(content: bytes, length_s: float) -> str | None:
    sound = miniaudio.decode(content)
    lasts_s = sound.num_frames / sound.sample_rate
    if abs(lasts_s - length_s - 1.5) > 0.2:
        return f"{lasts_s:.2f} s of sound for {length_s:.2f} s of music"
    loudest = max(abs(value) for value in sound.samples)
    return None if 3000 < loudest < 32700 else f"peak {loudest}"


def _svg_fault(content: bytes, abc: str) -> str | None:
    drawn = sum("note" in (e.get("class") or "").split() for e in ElementTree.fromstring(content).iter())  # noqa: S314
    written = sum(len(c.pitches) + len(c.graces) for v in read(abc).voices for b in v.bars for c in b.chords)
    return None if drawn >= written else f"{drawn} notes drawn of {written}"


def _pdf_fault(content: bytes, abc: str) -> str | None:
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    words = re.sub(r"\s", "", pages[0].extract_text())
    title = next(iter(read(abc).titles), "")
    missing = re.sub(r"\W", "", title) not in re.sub(r"\W", "", words)
    return f"its first page lacks its title: {words[:60]!r}" if missing else None


def _musicxml_fault(content: bytes, abc: str) -> str | None:
    score = music21.converter.parseData(content.decode(), format="musicxml")
    heard: list[int] = []
    for note in score.recurse().notes:
        if note.duration.isGrace or isinstance(note, music21.harmony.Harmony):
            continue
        pitches = [note] if isinstance(note, music21.note.Note) else list(note.notes)
        heard += [each.pitch.midi for each in pitches if each.tie is None or each.tie.type == "start"]
    if sorted(heard) != sorted(written_pitches(read(abc))):
        return f"music21 hears {len(heard)} notes of {len(written_pitches(read(abc)))}"
    return None if engrave.svg_pages(content.decode(), paged=False) else "Verovio draws nothing"


async def run(tunes: list[str], formats: list[Format]) -> Judges:
    """All tunes through all formats."""
    with tempfile.TemporaryDirectory() as name:
        renderer = Renderer(
            SOUNDFONT, sandbox.probe(), Cache(Path(name), 1), at_once=2, max_waiting=8, max_duration_s=600
        )
        judges = Judges(renderer)
        for number, tune in enumerate(tunes, 1):
            await judges.judge(tune.strip("\n") + "\n", formats)
            if number % 50 == 0:
                print(f"{number} tunes: {dict(judges.verdicts)}", file=sys.stderr, flush=True)
    return judges


def main() -> int:
    """Judge and print; 1 if anything was bad."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tunebook", type=Path)
    parser.add_argument("--formats", nargs="+", default=["midi", "wav", "mp3", "ogg", "flac", "svg", "pdf", "musicxml"])
    parser.add_argument("--every", type=int, default=1, help="take one tune of so many")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    tunes = [t for t in arguments.tunebook.read_text("utf-8").split("\n\n") if re.search("^K:", t, re.MULTILINE)]
    judges = asyncio.run(run(tunes[:: arguments.every], [Format(name) for name in arguments.formats]))
    print(f"{len(tunes[:: arguments.every])} tunes")
    for verdict, tally in sorted(judges.verdicts.items()):
        print(f"  {verdict}: {tally}")
    print("\n".join(judges.complaints[:40]))
    return 1 if judges.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
