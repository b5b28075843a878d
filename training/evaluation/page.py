"""Writes a comparison as one HTML page that needs nothing else: a summary, plots, and tunes as scores."""

from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import Path

from training.evaluation import plots, verdict_table
from training.evaluation.beside_real import ALL, Row, Summary
from training.evaluation.compare import AT, BLIND, BlindTune, Comparison, RealTunes, Report
from training.evaluation.copying import Copying
from training.evaluation.engraved_scores import engraved_scores
from training.evaluation.measures import MEASURES, OTHERS, RHYTHMS
from training.evaluation.style import ASPECTS, Style
from training.evaluation.two_sample import CLASSIFIERS
from training.evaluation.verdict import Verdict

_STYLE = Path(__file__).with_name("page.css")
_MISSING = "–"

ASPECT_NOTES = {
    "scale degrees": "Notes by their degree above the tonic.",
    "intervals": "Semitones from note to note; leaps of more than an octave are counted with it.",
    "durations": "Notes by their length, in whole notes.",
    "bar rhythms": "Bars by the lengths in them, in eighths; the real tunes’ commonest are shown, all count.",
    "bar repetition": "Bars by how many bars back the same one stands; new where it does in none of 16.",
    "notes a bar": "Whole bars by the number of their notes.",
    "bars a part": "Parts by their bars, played once.",
    "bars a tune": "Tunes by their bars, as written.",
}


def page(comparison: Comparison) -> str:
    """The page's text."""
    first, real = comparison.reports[0], comparison.real
    names = ", ".join(report.name for report in comparison.reports)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(names)}: an evaluation</title>
<style>
{_STYLE.read_text("utf-8")}</style>
</head>
<body>
<header>
<h1>{_headline(comparison)}</h1>
<p class="lead">{_lead(first, real, comparison.costs_in_words())}</p>
</header>
<h2>Verdict</h2>
{_verdicts(comparison)}
<p class="note">Under “real” are the held-out tunes: for a classifier, how well it tells them from other real tunes of
their corpus, families kept apart (an AUC of 0.5 is a coin’s); for variety, in samples of as many tunes on both sides.
<em>As real</em>: no further from the held-out tunes, by the largest gap between the two distributions, than 95 % of
halves of those are from each other; <em>near</em>: no further than twice that; <em>far</em>: further. Bars are those
that are written, and a pickup is one.</p>
{"".join(_of_rhythm(comparison, rhythm) for rhythm in (*RHYTHMS, OTHERS))}

<h2>Figures</h2>
{_table(comparison)}
<p class="note">{_about_text(real)} Music and copying are those of {first.drawn} tunes a model, drawn at
temperature {AT:g} under the grammar, seeds 1 to {first.drawn}; small figures in brackets are of {first.level.tunes}
drawn freely. Overlap is the area that two distributions share (1 less their total variation distance) with the held-out
tunes; for those themselves, with {real.yardstick} other real tunes of their corpus: as alike as real tunes are to each
other. It is no verdict: where one category holds most of the mass, it hides the
rest. For copying, the held-out tunes are held against what {escape(first.name)} learnt from.</p>

<h2>Quality and speed</h2>
<p>What a character of the held-out text costs, against how many the model makes on this machine with grammar and
sampler. Lower and further right is better. A circle’s area is the number of parameters.</p>
<figure>{plots.trade(comparison)}</figure>

<h2>Clean tunes</h2>
<p>The share of {first.level.tunes} tunes that abc2midi takes without a word, by temperature. Hairlines are 95 %
intervals; the dashed line is the held-out real tunes.</p>
<figure>{plots.clean(comparison)}</figure>
<p>The grammar takes from the model, at each character, the probability of whatever would spoil the tune. The less it
has to take, the better the model knows notation.</p>
<figure>{plots.removed(comparison)}</figure>

<h2>Music</h2>
<p>Bars are the model’s tunes under the grammar, the plain line is the held-out real ones. The dotted line, where there
is one, is as many tunes drawn freely.</p>
{"".join(_aspect(comparison, name) for name in ASPECTS)}

<h2>Copying</h2>
<p>The longest run of bars that a tune shares with any tune its model learnt from, whatever the key: the same
intervals in the same rhythm, as the service judges originality. The plain line is held-out real tunes against the same
books, which share turns of phrase as folk tunes do.</p>
<figure>{plots.copying(comparison)}</figure>

<h2>Tunes drawn blind</h2>
<p>Seeds 1 to {BLIND} at temperature {AT:g}, nothing asked, none picked.</p>
{"".join(_tunes(number, report) for number, report in enumerate(comparison.reports))}
<footer>Made by <code>python -m training evaluate</code>. With the same seeds every figure but the speeds comes out the
same. Losses are those of the decoder that is served, with int8 weights.</footer>
</body>
</html>
"""


def _headline(comparison: Comparison) -> str:
    names = [f'<span class="name {plots.colour(n)}">{escape(r.name)}</span>' for n, r in enumerate(comparison.reports)]
    first, *others = names
    if not others:
        return f"{first} beside real tunes"
    return f"{first} beside {', '.join(others[:-1])}{' and ' if others[:-1] else ''}{others[-1]}"


def _lead(report: Report, real: RealTunes, costs: list[str]) -> str:
    level = report.level
    verdict = [f"<b>{escape(verdict_table.verdict_in_words(report.beside_real))}</b>"] if report.beside_real else []
    warning = [f"<b>Mind that {escape(real.warning)}.</b>"] if real.warning else []
    said = [
        *warning,
        *verdict,
        f"A character of {real.tunes} held-out tunes costs {escape(report.name)} <b>{report.common.nats:.3f} nats</b>"
        f" ({report.common.bits:.3f} bits).",
        *(f"{escape(cost)}." for cost in costs),
        f"Of {level.tunes} tunes drawn freely <b>{level.clean_free}</b> are clean",
    ]
    said[-1] += f", under the grammar <b>{level.clean_held}</b>." if level.clean_held is not None else "."
    if report.style:
        said.append(f"{report.style.ends_on_tonic:.0%} end on the tonic (real: {real.style.ends_on_tonic:.0%}).")
    if report.copying and report.copying_of_real:
        said.append(
            f"{_runs(report.copying, 2)} share two bars or more with a tune it learnt from (real: "
            f"{_runs(report.copying_of_real, 2)}), {_runs(report.copying, 4)} share four."
        )
    return " ".join(said)


def _about_text(real: RealTunes) -> str:
    aside = "; ".join(f"{count} because {escape(reason)}" for reason, count in real.set_aside.items())
    told = f"set aside for all: {aside}" if aside else "none had to be set aside"
    return f"Held-out text: {escape(real.name)}, {real.tunes} tunes; {told}."


# ------------------------------------------------------------------------------------------------ verdicts


def _verdicts(comparison: Comparison) -> str:
    reports = comparison.reports
    rows = [*_test_rows(reports), *_variety_rows(reports)]
    rows += [_measure_row(reports, ALL, measure.name) for measure in MEASURES]
    return _framed(comparison, rows)


def _of_rhythm(comparison: Comparison, rhythm: str) -> str:
    rows = [_measure_row(comparison.reports, rhythm, measure.name, spread=True) for measure in MEASURES]
    counts = [
        f"{row.real.tunes if row.real else 0} real, {row.drawn.tunes if row.drawn else 0} drawn"
        for row in _rows_of(comparison.reports[0], rhythm)[:1]
    ]
    title = f"{rhythm.capitalize()}{'' if rhythm == OTHERS else 's'}"
    return (
        f"<details><summary>{title} <small>{''.join(counts)}; means, and what 10, 50 and 90 % do not exceed</small>"
        f"</summary>{_framed(comparison, rows)}</details>"
    )


def _framed(comparison: Comparison, rows: list[str]) -> str:
    heads = "".join(
        f'<th class="{plots.colour(number)}"><span class="name">{escape(report.name)}</span></th>'
        for number, report in enumerate(comparison.reports)
    )
    return f"""<div class="table"><table>
<thead><tr><th></th><th>Real</th>{heads}</tr></thead>
<tbody>{"".join(rows)}</tbody>
</table></div>"""


def _line(name: str, real: str, cells: list[tuple[str, Verdict] | None]) -> str:
    told = "".join(f"<td>{_judged(*cell) if cell else _MISSING}</td>" for cell in cells)
    return f"<tr><th>{escape(name)}</th><td>{real}</td>{told}</tr>"


def _judged(value: str, verdict: Verdict) -> str:
    return f'{value} <span class="verdict {verdict.replace(" ", "-")}">{verdict}</span>'


def _test_rows(reports: list[Report]) -> Iterator[str]:
    for name in CLASSIFIERS:
        found = [
            next((test for test in report.beside_real.tests if test.classifier == name), None)
            if report.beside_real
            else None
            for report in reports
        ]
        real = next((verdict_table.auc(test.real) for test in found if test), _MISSING)
        cells = [(verdict_table.auc(test.drawn), test.verdict) if test else None for test in found]
        yield _line(f"told apart by {name}, AUC", real, cells)


def _variety_rows(reports: list[Report]) -> Iterator[str]:
    told = [report.beside_real.varieties if report.beside_real else [] for report in reports]
    for name in dict.fromkeys(each.name for varieties in told for each in varieties):
        found = [next((each for each in varieties if each.name == name), None) for varieties in told]
        real = next((f"{each.real:.1%}" for each in found if each), _MISSING)
        yield _line(name, real, [(f"{each.drawn:.1%}", each.verdict) if each else None for each in found])


def _measure_row(reports: list[Report], group: str, name: str, *, spread: bool = False) -> str:
    found = [next((row for row in _rows_of(report, group) if row.name == name), None) for report in reports]

    def value(summary: Summary | None) -> str:
        told = verdict_table.value(name, summary)
        return f"{told} {_quantiles(name, summary)}" if spread and summary else told

    real = next((value(row.real) for row in found if row), _MISSING)
    return _line(name, real, [(value(row.drawn), row.verdict) if row else None for row in found])


def _rows_of(report: Report, group: str) -> list[Row]:
    return report.beside_real.rows[group] if report.beside_real else []


def _quantiles(name: str, summary: Summary) -> str:
    is_share = verdict_table.IS_SHARE[name]
    told = [f"{100 * value:.0f}" if is_share else f"{value:.3g}" for value in summary.quantiles]
    return f"<small>{' · '.join(told)}</small>"


# ------------------------------------------------------------------------------------------------ the table


def _table(comparison: Comparison) -> str:
    real, reports = comparison.real, comparison.reports
    sizes = [f"<small>{report.parameters / 1e6:.2f} M</small>" for report in reports]
    heads = "".join(
        f'<th class="{plots.colour(number)}"><span class="name">{escape(report.name)}</span>{size}</th>'
        for number, (report, size) in enumerate(zip(reports, sizes, strict=True))
    )
    rows = "".join(_rows(real, reports))
    return f"""<div class="table"><table>
<thead><tr><th></th><th>Real tunes<small>held out</small></th>{heads}</tr></thead>
<tbody>{rows}</tbody>
</table></div>"""


def _rows(real: RealTunes, reports: list[Report]) -> Iterator[str]:
    def group(name: str) -> str:
        return f'<tr class="group"><th colspan="{len(reports) + 2}">{name}</th></tr>'

    def row(name: str, of_real: str, of_report: Callable[[Report], str]) -> str:
        cells = "".join(f"<td>{of_report(report)}</td>" for report in reports)
        return f"<tr><th>{name}</th><td>{of_real}</td>{cells}</tr>"

    def of_style(name: str, of: Callable[[Style], str]) -> str:
        return row(name, of(real.style), lambda report: _with_free(report, of))

    def of_copying(name: str, of: Callable[[Copying], str]) -> str:
        return row(name, _copied(reports[0].copying_of_real, of), lambda report: _copied(report.copying, of))

    yield group("Prediction")
    yield row("nats a character", _MISSING, lambda r: f"{r.common.nats:.4f}")
    yield row("bits a character", _MISSING, lambda r: f"{r.common.bits:.4f}")
    yield row(
        "nats a character of its own test side",
        _MISSING,
        lambda r: f"{r.own.nats:.4f} <small>{r.own.tunes} tunes</small>" if r.own else _MISSING,
    )
    yield group(f"Notation, temperature {AT:g}")
    yield row(
        "clean, drawn freely", f"{real.clean} of {real.tunes}", lambda r: f"{r.level.clean_free} of {r.level.tunes}"
    )
    yield row(
        "clean, under the grammar",
        _MISSING,
        lambda r: f"{r.level.clean_held} of {r.level.tunes}" if r.level.clean_held is not None else _MISSING,
    )
    yield row(
        "probability taken away a character",
        _MISSING,
        lambda r: f"{r.level.removed:.1%}" if r.level.removed is not None else _MISSING,
    )
    yield group("Music")
    yield of_style("ends on the tonic", lambda s: f"{s.ends_on_tonic:.0%}")
    yield of_style("parts of eight bars", lambda s: f"{s.parts_of_eight:.0%}")
    yield of_style("bars a tune, median", lambda s: f"{s.bars:g}")
    yield of_style("notes a bar, mean", lambda s: f"{s.notes_a_bar:.2f}")
    yield of_style("characters a tune, median", lambda s: f"{s.characters:.0f}")
    yield group("Overlap with the held-out tunes, 0 to 1")
    yield from (row(name, f"{real.overlaps[name]:.2f}", partial(_overlap, name)) for name in ASPECTS)
    yield group("Copying from what it learnt from")
    yield of_copying("longest run, notes, median", lambda c: f"{c.median_notes:g}")
    yield of_copying("longest run, notes, of all tunes", lambda c: f"{c.max_notes}")
    yield from (of_copying(f"tunes with a run of {bars} bars or more", partial(_runs, bars=bars)) for bars in (2, 4))
    yield of_copying("judged to echo, to copy", lambda c: f"{c.judgements['echoes']:.0%}, {c.judgements['copies']:.0%}")
    yield group("Speed, characters a second")
    yield row("one tune at a time", _MISSING, lambda r: f"{r.speed.one_tune:,.0f}")
    yield row(f"{reports[0].speed.tunes_at_once} tunes at once", _MISSING, lambda r: f"{r.speed.all_tunes:,.0f}")


def _with_free(report: Report, of: Callable[[Style], str]) -> str:
    if report.style is None:
        return _MISSING
    return of(report.style) + (f" <small>({of(report.style_free)})</small>" if report.style_free else "")


def _overlap(name: str, report: Report) -> str:
    return f"{report.overlaps[name]:.2f}" if report.overlaps else _MISSING


def _copied(copying: Copying | None, of: Callable[[Copying], str]) -> str:
    return of(copying) if copying else _MISSING


def _runs(copying: Copying, bars: int) -> str:
    return f"{copying.share_by_bars[str(bars)]:.0%}"


# ------------------------------------------------------------------------------------------------ figures and tunes


def _aspect(comparison: Comparison, name: str) -> str:
    title = name[0].upper() + name[1:]
    return f"<h3>{title} <small>{ASPECT_NOTES[name]}</small></h3><figure>{plots.aspect(comparison, name)}</figure>"


def _tunes(number: int, report: Report) -> str:
    drawn = engraved_scores([tune.abc for tune in report.blind], f"{plots.colour(number)}-")
    tunes = "".join(_tune(tune, svg) for tune, svg in zip(report.blind, drawn, strict=True))
    name = f'<span class="name {plots.colour(number)}">{escape(report.name)}</span>'
    return f"<details{' open' if not number else ''}><summary>{name}</summary>{tunes}</details>"


def _tune(tune: BlindTune, svg: str | None) -> str:
    told = f"Seed {tune.seed}."
    if tune.abc is None:
        return f'<div class="tune"><p class="note">{told} It did not end in time.</p></div>'
    if tune.run and tune.run.notes:
        source = f" of {escape(tune.run.source)}" if tune.run.source else ""
        judged = f" {tune.run.judgement.capitalize()}." if tune.run.judgement else ""
        told += f"{judged} Its longest shared run: {tune.run.notes} notes{source}."
    abc = f"<pre>{escape(tune.abc)}</pre>"
    shown = f"{svg}<details><summary>ABC</summary>{abc}</details>" if svg else abc
    return f'<div class="tune"><p class="note">{told}</p>{shown}</div>'
