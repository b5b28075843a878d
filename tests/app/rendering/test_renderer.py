"""What a reader of a rendering is promised: a file that is renamed or deleted under him is whole all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import BusyError, NotationError, RenderError
from app.rendering import external_tools, sandbox
from app.rendering.cache import Cache
from app.rendering.formats import Format
from app.rendering.render_job import Job, RenderOptions
from app.rendering.renderer import Renderer
from app.rendering.shared_file import Rendering
from app.settings import Settings
from tests.growing_texts import GROWING

JIG = (Path(__file__).parent / "tunes" / "jig.abc").read_text("utf-8")
SHORT = "X:1\nT:Short\nM:2/4\nL:1/8\nQ:1/4=300\nK:C\ncdec|\n"


def run(folder: Path, check: Callable[[Renderer], Awaitable[None]]) -> None:
    """Against a renderer that keeps the last file alone."""
    renderer = Renderer(
        Settings().soundfont, sandbox.probe(), Cache(folder, 1), at_once=2, max_waiting=2, max_duration_s=600
    )
    asyncio.run(check(renderer))  # type: ignore[arg-type]


async def content(rendering: Rendering) -> bytes:
    return b"".join([chunk async for chunk in rendering.read(0, None)])


async def job_of(renderer: Renderer, abc: str, format_: Format) -> Job:
    return await renderer.job(abc, format_, RenderOptions())


@pytest.mark.parametrize("format_", Format)
def test_a_file_that_is_finished_before_its_first_byte_is_sent_is_whole_and_its_length_is_known(
    tmp_path: Path, format_: Format
) -> None:
    async def check(renderer: Renderer) -> None:
        rendering = await renderer.render(await job_of(renderer, SHORT, format_))
        assert rendering.making is not None
        await rendering.making.until(done=True)
        sent = await content(rendering)
        assert rendering.size == len(sent) > 0
        rendering.leave()

    run(tmp_path, check)


def test_a_score_of_too_many_notes_is_not_drawn(tmp_path: Path) -> None:
    async def check(renderer: Renderer) -> None:
        job = await job_of(renderer, GROWING["chords of many pieces"](16_000), Format.MUSICXML)
        with pytest.raises(NotationError, match="notes on paper; 20,000 are allowed"):
            await renderer.render(job)

    run(tmp_path, check)


@pytest.mark.parametrize("format_", [Format.WAV, Format.MP3, Format.MIDI])
def test_a_file_that_is_deleted_for_another_before_its_first_byte_is_sent_is_whole(
    tmp_path: Path, format_: Format
) -> None:
    async def check(renderer: Renderer) -> None:
        job = await job_of(renderer, SHORT, format_)
        made = await renderer.render(job, whole=True)
        kept = await renderer.render(job)
        assert kept.making is None
        other = await renderer.render(await job_of(renderer, JIG, Format.MIDI))
        other.leave()
        renderer._cache.settle()
        assert not renderer.is_kept(job)
        sent = await content(made)
        assert sent == await content(kept)
        assert made.size == kept.size == len(sent) > 0
        made.leave()
        kept.leave()

    run(tmp_path, check)


@pytest.mark.parametrize("format_", [Format.MP3, Format.SVG])
def test_a_kept_file_that_was_altered_is_made_again(tmp_path: Path, format_: Format) -> None:
    async def check(renderer: Renderer) -> None:
        job = await job_of(renderer, SHORT, format_)
        made = await renderer.render(job, whole=True)
        sent = await content(made)
        made.leave()
        (file,) = tmp_path.iterdir()
        file.write_bytes(file.read_bytes()[:-2000])
        again = await renderer.render(job, whole=True)
        assert again.making is not None
        assert await content(again) == sent
        again.leave()
        kept = await renderer.render(job)
        assert (kept.making, await content(kept)) == (None, sent)
        kept.leave()

    run(tmp_path, check)


def test_a_tune_that_needs_more_memory_than_is_allowed_is_refused_and_says_how_much_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        external_tools, "_ENGRAVE_LIMITS", replace(external_tools._ENGRAVE_LIMITS, address_space=48 << 20)
    )

    async def check(renderer: Renderer) -> None:
        with pytest.raises(RenderError, match="the engraver needs more memory for this tune than the 48 MiB"):
            await renderer.render(await job_of(renderer, SHORT, Format.PDF))

    run(tmp_path, check)


def test_a_program_that_fails_to_start_is_not_the_tunes_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        external_tools, "_ABC2MIDI_LIMITS", replace(external_tools._ABC2MIDI_LIMITS, address_space=1 << 20)
    )

    async def check(renderer: Renderer) -> None:
        with pytest.raises(BusyError, match="abc2midi failed to start") as refused:
            await renderer.render(await job_of(renderer, SHORT, Format.MIDI))
        assert refused.value.retry_after_s

    run(tmp_path, check)
