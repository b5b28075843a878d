"""`lilt tune`: makes a tune in this process, and writes it as its file's ending says."""

import asyncio
import secrets
from pathlib import Path

import click

from app.api.schemas.generation import GenerateRequest
from app.api.schemas.rendering import RenderRequest
from app.cli import files, process
from app.cli.request_options import options_of, request_of
from app.generation.answer import Answer
from app.generation.jobs import MAX_SEED, Job
from app.generation.model_registry import ServedModel
from app.generation.start_job import begin
from app.operations.concurrency_limit import ConcurrencyLimit
from app.rendering.formats import Format
from app.rendering.input_filter import SET
from app.settings import Settings

_OF_A_TUNE_THAT_IS_THERE = ("abc", "bars", "everywhere", "vary")
_OF_THIS_COMMAND = ("abc", "format")


@click.command("tune")
@files.out_option(
    f"Where to, once or several times: {files.ENDINGS}; - for standard output. [ABC, printed]", several=True
)
@click.option("--format", "named", type=click.Choice(files.NAMES), help="What to make, whatever the name ends in.")
@process.model_store
@options_of(GenerateRequest, _OF_A_TUNE_THAT_IS_THERE, {})
@options_of(RenderRequest, _OF_THIS_COMMAND, {})
def command(outs: tuple[Path, ...], named: str | None, model_store: str | None, **given: object) -> None:
    """Make a tune.

    \b
    Examples:
      lilt tune
      lilt tune --key Ador --rhythm reel --seed 7 -o tune.mp3
      lilt tune --rhythm jig --form AABB8 --best-of 8 --backing session -o jig.mp3 -o jig.pdf
      lilt tune --format mp3 | ffplay -

    It is made in this process, in the sandbox of the service, and nothing goes over the network.
    """
    wanted = {out: files.format_of(out, named) for out in outs}
    settings = process.settings(model_store)
    body = request_of(GenerateRequest, given)
    played = request_of(RenderRequest, given, abc="")
    as_written = [out for out in wanted if wanted[out] is Format.ABC and not played.transpose]
    if len(as_written) < len(wanted) and (body.tunes or 0) > SET.max_allowed:
        raise click.UsageError(f"--tunes {body.tunes}: a set that is rendered has {SET.max_allowed} at the most")
    for out, kind in wanted.items():
        files.check(out, kind, settings)
    job = body.job(secrets.randbelow(MAX_SEED + 1))
    with process.model(settings, body.model) as model:
        answer = asyncio.run(_answer(model, job, settings))
    tunes = [judged.tune for judged in answer.tunes]
    abc = "\n\n".join(tune.abc.strip("\n") for tune in tunes) + "\n" if tunes else answer.abc
    for out in as_written:
        files.write(out, abc.encode())
    for out in [out for out in wanted if out not in as_written]:
        with files.renderer(settings) as renderer:
            asyncio.run(files.render(renderer, abc, wanted[out], played, out))
    named_files = ", ".join(str(out) for out in wanted if out != files.STDOUT)
    click.echo(f"{f'{named_files}: ' if named_files else ''}{_described(answer)}", err=True)


async def _answer(model: ServedModel, job: Job, settings: Settings) -> Answer:
    readings = ConcurrencyLimit(1, 1, "texts")
    deadline = asyncio.get_running_loop().time() + settings.generate_timeout_s
    generation = await begin(model, job, deadline, readings)
    return await generation.answer()


def _described(answer: Answer) -> str:
    """One line on what was made, and how it is made again."""
    titles = "; ".join(
        ", ".join(filter(None, (tune.title, tune.rhythm, tune.key and f"in {tune.key}")))
        for tune in (judged.tune for judged in answer.tunes)
    )
    unfinished = "" if all(judged.tune.complete for judged in answer.tunes) else "; it did not end within --length"
    made = f"--seed {answer.seed} with {answer.model.name}/{answer.model.version} makes it again"
    return f"{titles or 'no whole tune'}{unfinished}; {made}"
