"""What is told of drawn tunes beside real ones as a table in Markdown, verdict first: for a terminal and a card."""

from collections.abc import Iterator

from training.evaluation.beside_real import ALL, BesideReal, Row, Summary
from training.evaluation.measures import MEASURES, OTHERS, RHYTHMS
from training.evaluation.two_sample import Auc
from training.evaluation.verdict import Verdict

IS_SHARE = {measure.name: measure.is_share for measure in MEASURES}
_MISSING = "–"


def to_markdown(beside: BesideReal) -> str:
    """The verdict in a sentence, and both tables."""
    return "\n".join(_lines(beside))


def verdict_in_words(beside: BesideReal) -> str:
    """How many measures are as real, near and far, and how well tunes are told apart."""
    counts = [sum(row.verdict is verdict for row in beside.rows[ALL]) for verdict in Verdict]
    told = ", ".join(f"{count} {verdict}" for count, verdict in zip(counts, Verdict, strict=True) if count)
    said = f"Of {len(beside.rows[ALL])} measures of all tunes: {told}."
    for test in beside.tests:
        said += f" Told from real by {test.classifier}: {test.verdict}, AUC {test.drawn.auc:.2f} (real: "
        said += f"{test.real.auc:.2f})."
    return said


def value(name: str, summary: Summary | None) -> str:
    """A measure's mean, as it is written."""
    if summary is None:
        return _MISSING
    return f"{summary.mean:.1%}" if IS_SHARE[name] else f"{summary.mean:.1f}"


def auc(found: Auc) -> str:
    """With half of its 95 % interval."""
    return f"{found.auc:.3f} ± {1.96 * found.error:.3f}"


def _lines(beside: BesideReal) -> Iterator[str]:
    yield verdict_in_words(beside)
    yield ""
    yield f"| | real ({beside.real:,}) | drawn ({beside.drawn:,}) | verdict |"
    yield "|---|---|---|---|"
    for test in beside.tests:
        yield f"| AUC, {test.classifier} | {auc(test.real)} | {auc(test.drawn)} | {test.verdict} |"
    for variety in beside.varieties:
        yield f"| {variety.name} | {variety.real:.1%} | {variety.drawn:.1%} | {variety.verdict} |"
    for row in beside.rows[ALL]:
        yield f"| {row.name} | {value(row.name, row.real)} | {value(row.name, row.drawn)} | {row.verdict} |"
    yield ""
    groups = (*RHYTHMS, OTHERS)
    yield f"| real : drawn | {' | '.join(groups)} |"
    yield f"|---|{'---|' * len(groups)}"
    for rows in zip(*(beside.rows[group] for group in groups), strict=True):
        yield f"| {rows[0].name} | {' | '.join(map(_cell, rows))} |"


def _cell(row: Row) -> str:
    return f"{value(row.name, row.real)} : {value(row.name, row.drawn)}, {row.verdict}"
