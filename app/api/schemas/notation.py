"""`/check`, `/chords` and `/import`: what is wrong with a tune, its chords, and a tune of another program's file."""

from typing import Literal, Self

from pydantic import BaseModel, Field

from app.api.schemas.base import Body, Problem
from app.rendering.lint import Checked


class CheckRequest(Body):
    """A text to look through."""

    abc: str = Field(description="A tune in ABC notation, or what is to become one.", examples=["X:1\nK:D\nDFA d2f|\n"])


class CheckedProblem(BaseModel):
    """One thing that is wrong, or was left out; bars count from 1, a pickup before them is 0."""

    severity: Literal["error", "warning", "note"]
    source: Literal["filter", "reader"]
    message: str
    line: int | None = None
    column: int | None = None
    bar: int | None = None


class CheckResponse(BaseModel):
    """What is wrong with a text."""

    playable: bool = Field(description="Whether /render would make sound of it as it is.")
    problems: list[CheckedProblem]
    fixed: str | None = Field(description="The text with its mechanical faults mended; null where none was.")
    title: str | None = None
    duration_s: float | None = Field(default=None, description="How long it lasts at its default tempo.")

    @classmethod
    def of(cls, found: Checked) -> Self:
        """What a check has found."""
        return cls(
            playable=found.playable,
            problems=[
                CheckedProblem(
                    severity=remark.severity,
                    source=remark.source,
                    message=remark.fault.message,
                    line=remark.fault.line,
                    column=remark.fault.column,
                    bar=remark.fault.bar,
                )
                for remark in found.remarks
            ],
            fixed=found.fixed,
            title=found.title,
            duration_s=found.duration_s,
        )


class ChordsRequest(Body):
    """A tune that wants chords."""

    abc: str = Field(description="One tune in ABC notation.", examples=["X:1\nM:6/8\nK:D\nDFA d2f|afd D3|\n"])


class ChordAt(BaseModel):
    """A chord where it begins; bars count from 1, a pickup before them is 0."""

    bar: int
    quarters: float = Field(description="Quarter notes from the bar's beginning.")
    symbol: str


class ChordsResponse(BaseModel):
    """A tune with chord symbols; parts that had some are as they were."""

    abc: str
    chords: list[ChordAt]


class ImportResponse(BaseModel):
    """A tune that was made of a file of another program's."""

    abc: str
    title: str | None = Field(description="The tune's title: the file's own, or its name.")
    kind: Literal["musicxml", "midi"] = Field(description="What the file was.")
    left_out: list[str] = Field(description="What of the file is not in the tune, in words.", examples=[["percussion"]])
    problems: list[Problem] = Field(description="What is wrong with the tune, such as a bar that is too long.")
