"""Which synthesiser plays here: FluidSynth's library in process, or timidity in the sandbox."""

from enum import StrEnum
from pathlib import Path

from app.rendering import synth, timidity


class Synthesizer(StrEnum):
    """What plays, by the name that settings and /readyz use."""

    FLUIDSYNTH = "fluidsynth"
    TIMIDITY = "timidity"

    @classmethod
    def choose(cls, wanted: str) -> "Synthesizer":
        """The one that is wanted; with `auto` FluidSynth, and timidity where that is missing and timidity is not."""
        if wanted != "auto":
            return cls(wanted)
        return cls.TIMIDITY if not synth.is_installed() and timidity.TIMIDITY.is_file() else cls.FLUIDSYNTH

    def font(self, wanted: Path) -> Path:
        """The sound font that it plays from."""
        return timidity.font(wanted) if self is Synthesizer.TIMIDITY else wanted

    def missing(self, soundfont: Path) -> list[str]:
        """What it needs and this machine lacks."""
        files = [self.font(soundfont)] + ([timidity.TIMIDITY] if self is Synthesizer.TIMIDITY else [])
        found = [str(path) for path in files if not path.is_file()]
        return found + (["libfluidsynth3"] if self is Synthesizer.FLUIDSYNTH and not synth.is_installed() else [])
