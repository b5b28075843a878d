"""What abc2midi says of tunes, asked through the service's sandbox."""

import asyncio
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.rendering import sandbox
from app.rendering.external_tools import ABC2MIDI, MIDI_FILE, abc2midi
from app.rendering.sandbox import Confinement, Limits
from training.errors import ConfigError

_MIB = 1024 * 1024
_LIMITS = Limits(cpu_s=2, wall_s=10, address_space=256 * _MIB, file_size=_MIB)
_COMPLAINT = re.compile(r"(?:Error|Warning) in line-char \d+-\d+ : (.*)")
_ABOUT_REPEATS = ("repeat", "|:", ":|", "::")


@dataclass(frozen=True)
class Verdicts:
    """Of how many tunes abc2midi said what."""

    tunes: int
    without_complaint: int
    about_repeats_alone: int  # some complaint, but each is about repeat signs that are missing or assumed

    @property
    def share_clean(self) -> float:
        return self.without_complaint / self.tunes

    @property
    def share_clean_but_for_repeats(self) -> float:
        return (self.without_complaint + self.about_repeats_alone) / self.tunes


def judge(tunes: list[str | None]) -> Verdicts:
    """abc2midi's verdict on each tune; one that did not end (None) counts as complained of.

    Raises:
        ConfigError: abc2midi is not installed.
    """
    said = complaints_of([tune for tune in tunes if tune is not None])
    return Verdicts(
        tunes=len(tunes),
        without_complaint=sum(not complaints for complaints in said),
        about_repeats_alone=sum(bool(each) and all(map(_is_about_repeats, each)) for each in said),
    )


def complaints_of(tunes: Iterable[str]) -> list[list[str]]:
    """What abc2midi complains of in each tune.

    Raises:
        ConfigError: abc2midi is not installed.
    """
    if not Path(ABC2MIDI).is_file():
        raise ConfigError(f"{ABC2MIDI} is not there; install the package abcmidi to judge tunes")
    return asyncio.run(_ask_all(tunes))


def _is_about_repeats(message: str) -> bool:
    return any(word in message for word in _ABOUT_REPEATS) and "time units" not in message


async def _ask_all(tunes: Iterable[str]) -> list[list[str]]:
    confinement = sandbox.probe()
    return [await _ask(tune, confinement) for tune in tunes]


async def _ask(tune: str, confinement: Confinement) -> list[str]:
    """abc2midi's complaints of one tune."""
    with tempfile.TemporaryDirectory(prefix="lilt-judge-") as name:
        done = await abc2midi(tune + "\n", Path(name), confinement, _LIMITS)
        messages = _COMPLAINT.findall(done.output.decode(errors="replace"))
        if done.exit_code or not Path(name, MIDI_FILE).is_file():
            messages.append("no music came of it")
        return messages
