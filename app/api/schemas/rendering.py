"""`/render`: a tune, and how to play it."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from app.api.schemas.base import Body
from app.rendering.arrangement import Arrangement
from app.rendering.backing import Backing
from app.rendering.general_midi import program_of
from app.rendering.render_job import RenderOptions


def _program_number(value: object) -> object:
    return program_of(value) if isinstance(value, str) and not value.strip().isdecimal() else value


Program = Annotated[
    int,
    Field(ge=0, le=127),
    BeforeValidator(_program_number, json_schema_input_type=Annotated[int, Field(ge=0, le=127)] | str),
]
"""An instrument, by number or name."""


class RenderRequest(Body):
    """A tune, and how to play it."""

    abc: str = Field(
        description="One tune in ABC notation, or a set: two to five that are played one after another.",
        examples=["X:1\nM:6/8\nK:D\nDFA d2f|afd D3|\n"],
    )
    format: Literal["wav", "mp3", "ogg", "flac", "midi", "svg", "png", "pdf", "musicxml", "abc"] | None = Field(
        default=None,
        description="Where it is missing, `Accept` decides; `wav` if that does not. `abc` is the tune as it was read, "
        "written anew: transposed, and with the chords of a backing.",
    )
    tempo: float | None = Field(
        default=None,
        ge=20,
        le=400,
        allow_inf_nan=False,
        description="Quarter notes a minute; else the tune's own `Q:`, or what suits its rhythm or metre.",
    )
    program: Program | None = Field(
        default=None,
        description="General MIDI instrument, by number (0–127) or name (`flute`; `/models` lists them); else one that "
        "suits the rhythm or metre.",
        examples=["flute", 73],
    )
    transpose: int = Field(
        default=0, ge=-36, le=36, description="Semitones, in notation and sound; the key signature follows."
    )
    repeats: int = Field(default=1, ge=1, le=20, description="Times through the whole tune.")
    chords: bool = Field(default=True, description="Whether chord symbols are played.")
    click: bool = Field(default=False, description="A bar's count-in, which a pickup completes.")
    swing: float | None = Field(
        default=None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0 plays eighths even, 1 plays the first of each pair twice as long as the second; "
        "else `feel` decides, by the rhythm.",
    )
    feel: float = Field(
        default=0.5,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="How much of a player is in it: accents, phrases, uneven eighths, ornaments where the tune says "
        "none. 0 is the grid.",
    )
    variation: bool = Field(default=False, description="Whether second times through a part differ.")
    backing: Literal["none", "guitar", "piano", "session"] = Field(
        default="none",
        description="Who accompanies, on the tune's own chords or on those that `/chords` finds; `session` is guitar "
        "and bodhrán. Scores and MusicXML then show the chords.",
    )

    def options(self) -> RenderOptions:
        """How it is to be rendered."""
        arrangement = Arrangement(
            tempo=self.tempo,
            program=self.program,
            repeats=self.repeats,
            click=self.click,
            swing=self.swing,
            feel=self.feel,
            variation=self.variation,
            backing=Backing(self.backing),
        )
        return RenderOptions(arrangement, self.transpose, self.chords)
