"""What is to be rendered: tunes that the input filter admitted, and how; the same bytes have the same name."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from app.rendering.arrangement import Arrangement
from app.rendering.cache import key_of
from app.rendering.formats import Format, Kind
from app.rendering.input_filter import Admitted
from app.rendering.synthesizer import Synthesizer

_RECIPE = 13  # raised whenever the same request makes other bytes than before


@dataclass(frozen=True)
class RenderOptions:
    """How a tune is rendered; see Arrangement for what is None."""

    arrangement: Arrangement = field(default_factory=Arrangement)
    transpose: int = 0
    """semitones"""
    chords: bool = True
    """whether chord symbols are played"""


@dataclass(frozen=True)
class Job:
    """An admitted tune and what is wanted of it; `name` is the same for the same bytes."""

    tunes: tuple[Admitted, ...]
    """one, or a set"""
    format: Format
    options: RenderOptions
    name: str

    @property
    def title(self) -> str | None:
        """The title of the tune, or the titles of all of a set."""
        return " - ".join(tune.title for tune in self.tunes if tune.title) or None

    @property
    def lasts_s(self) -> float:
        """Seconds of sound that are to be made; none of a score or MIDI."""
        once_s = sum(tune.lasts_s for tune in self.tunes)
        return self.options.arrangement.repeats * once_s if self.format.kind is Kind.SOUND else 0.0

    @property
    def left_out(self) -> list[str]:
        """What of the text is neither played nor drawn, by line: what the input filter names, and what was skipped."""
        found = [(fault.line or 0, fault.message.rsplit(": ", 1)[-1]) for fault in self.tunes[0].dropped]
        found += [(fault.line or 0, fault.message) for tune in self.tunes for fault in tune.skipped]
        return [f"line {line}: {name}" for line, name in sorted(found, key=lambda each: each[0])]

    @classmethod
    def of(
        cls,
        tunes: tuple[Admitted, ...],
        format_: Format,
        options: RenderOptions,
        synthesizer: Synthesizer,
        soundfont: Path,
    ) -> Self:
        """The job, named by all that its bytes are made from."""
        font = soundfont.stat() if soundfont.is_file() else None
        parts = {
            "recipe": _RECIPE,
            "abc": [tune.abc for tune in tunes],
            "format": format_,
            "options": asdict(options),
            "synthesizer": synthesizer,
            "font": (str(soundfont), font.st_size, font.st_mtime_ns) if font else None,
        }
        return cls(tunes, format_, options, f"{key_of(parts)}.{format_.extension}")
