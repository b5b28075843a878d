"""`lilt bulk`: makes many tunes into one file."""

from pathlib import Path

import click

from app.api.schemas.generation import GenerateRequest
from app.cli import files, process
from app.cli.request_options import options_of, request_of
from app.generation import bulk
from app.generation.bulk import BulkJob, Drawing
from app.generation.jobs import GenerationJob
from app.generation.originality import Judgement

_INTERRUPTED = 130
_DEFAULTS: dict[str, object] = {"length": bulk.EACH.length, "seed": bulk.EACH.sampling.seed}
_NOT_FOR_MANY = ("tunes", "avoid_copies", "abc", "bars", "everywhere", "vary")


@click.command("bulk")
@click.option("--count", type=click.IntRange(min=1), required=True, metavar="N", help="Tunes to write.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="A tunebook, or JSON lines if the name ends in .jsonl.",
)
@click.option(
    "--originality",
    type=click.Choice([Judgement.ORIGINAL.value, Judgement.ECHOES.value]),
    help="Write only tunes that are original, or at the worst echo a tune that the model was trained on.",
)
@process.model_store
@options_of(GenerateRequest, _NOT_FOR_MANY, _DEFAULTS)
@click.pass_obj
def command(
    drawing: Drawing | None, /, count: int, out: Path, originality: str | None, model_store: str | None, **given: object
) -> int:
    """Make many tunes into one file, each from the seed after the last one's.

    \b
    Examples:
      lilt bulk --count 10000 --out tunes.abc
      lilt bulk --count 500 --rhythm jig --best-of 8 --originality original --out jigs.jsonl

    No two have the same notes. The same command goes on where it was interrupted.
    """
    if out == files.STDOUT:
        raise click.UsageError("-o -: a file is needed, for the same command goes on with it where it was interrupted")
    files.check_text(out, ".abc", ".txt", ".jsonl")
    settings = process.settings(model_store)
    body = request_of(GenerateRequest, given, **_DEFAULTS)
    each = body.job(bulk.EACH.sampling.seed)
    assert isinstance(each, GenerationJob)  # noqa: S101  # bars made anew are no option here
    job = BulkJob(count, each, body.model, Judgement(originality) if originality else None)
    with process.models(settings) as models:
        try:
            progress = bulk.run(job, models, out, drawing)
        except KeyboardInterrupt:
            click.echo(f"interrupted; the same command goes on with {out}", err=True)
            return _INTERRUPTED
    click.echo(f"{out}: {progress.written} tunes from {progress.next_seed - job.seed} drawn")
    return 0
