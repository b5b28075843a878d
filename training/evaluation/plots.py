"""Draws a comparison: one panel a model on the same scales, real tunes in ink, each model in a colour of its own."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import sqrt

from training.evaluation import mask
from training.evaluation.compare import AT, Comparison, Report
from training.evaluation.copying import RUNS
from training.evaluation.style import DEGREES, FARTHEST, LONGEST_PART, NEW, WIDEST, Spread
from training.evaluation.svg import Frame, Point, bar, dot, line, path, picture, text

COLOURS = 6
"""Models that can be told apart; `.c0` to `.c5` in the page's style."""

_WIDTH = 960.0
_GAP = 28.0
_LEFT = 46.0
_RIGHT = 10.0  # half a tick's name
_PERCENT = [(share, f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
_SHARPEST = 6  # a panel's height never stands for less than a share of 1 in so many
_MAX_RHYTHMS = 14
_OF_FORM = ("bars a part", "bars a tune")  # what the grammar may change
_SPEEDS = [step * 10.0**power for power in range(2, 10) for step in (1, 2, 5)]
_LABEL_HEIGHT = 15.0
_LABEL_WIDTH = 100.0


def colour(number: int) -> str:
    return f"c{number % COLOURS}"


def trade(comparison: Comparison) -> str:
    """Loss against speed; a circle's area is the number of parameters."""
    reports = comparison.reports
    height, largest = 300.0, max(report.parameters for report in reports)
    nats = [report.common.nats for report in reports]
    margin = max(0.02, 0.18 * (max(nats) - min(nats)))
    y_range = (min(nats) - margin, max(nats) + margin)
    width = (_WIDTH - _LEFT - 120 - _GAP) / 2
    parts = []
    for number, title in enumerate(("one tune at a time", f"{reports[0].speed.tunes_at_once} tunes at once")):
        speeds = [report.speed.all_tunes if number else report.speed.one_tune for report in reports]
        low = max(tick for tick in _SPEEDS if tick <= max(_SPEEDS[0], 0.6 * min(speeds)))
        high = min(tick for tick in _SPEEDS if tick >= 1.6 * max(speeds))
        frame = Frame(_LEFT + number * (width + 60 + _GAP), 34, width, height, (low, high), y_range, is_log=True)
        parts.append(text(frame.left, 16, title, "panel"))
        parts.append(frame.y_axis(_round_ticks(y_range, 7), named=not number))
        parts.append(frame.x_axis([(tick, f"{tick:,.0f}") for tick in _SPEEDS if low <= tick <= high]))
        points = [(frame.x(speed), frame.y(report.common.nats)) for speed, report in zip(speeds, reports, strict=True)]
        radii = [12 * sqrt(report.parameters / largest) for report in reports]
        heights = _apart([y for _, y in points])
        for which, report in enumerate(reports):
            (x, y), radius = points[which], radii[which]
            words = f"{report.name}: {report.common.nats:.3f} nats, {speeds[which]:,.0f} characters a second"
            parts.append(dot(x, y, radius, f"{colour(which)} soft", words))
            parts.append(dot(x, y, 2.5, f"{colour(which)} fill", words))
            label = f"{report.name}, {report.parameters / 1e6:.1f} M"
            others = [point for index, point in enumerate(points) if index != which]
            is_crowded = any(0 < other - x < _LABEL_WIDTH and abs(level - y) < _LABEL_HEIGHT for other, level in others)
            place, side = (x - radius - 6, "end") if is_crowded else (x + radius + 6, "")
            parts.append(text(place, heights[which] + 4, label, f"{colour(which)} label {side}"))
        parts.append(text(frame.right, frame.bottom + 34, "characters a second →", "tick end"))
    parts.append(text(0, 34 + height + 34, "↑ nats a character", "tick"))
    return picture(_WIDTH, height + 76, "Loss against speed", parts)


def clean(comparison: Comparison) -> str:
    """The share of clean tunes over the temperatures, freely and under the grammar."""
    real = comparison.real.clean / comparison.real.tunes
    parts = []
    for number, report, frame in _panels(comparison, 34, 190):
        levels, steps = report.levels, _temperatures(report)
        frame = Frame(frame.left, frame.top, frame.width, frame.height, (0.45, 1.35))
        parts.append(text(frame.left, 16, report.name, f"{colour(number)} panel"))
        parts.append(frame.y_axis(_PERCENT, named=not number))
        parts.append(frame.x_axis([(step, f"{step:g}") for step in steps]))
        parts.append(line((frame.left, frame.y(real)), (frame.right, frame.y(real)), "real dashed"))
        for level in levels:
            x = frame.x(level.temperature)
            low, high = _interval(level.clean_free, level.tunes)
            parts.append(line((x, frame.y(low)), (x, frame.y(high)), f"{colour(number)} hair"))
        free = [(frame.x(level.temperature), frame.y(level.clean_free / level.tunes)) for level in levels]
        held = [
            (frame.x(level.temperature), frame.y(level.clean_held / level.tunes))
            for level in levels
            if level.clean_held is not None
        ]
        for points, kind, words in ((free, "thin", "freely"), (held, "stroke", "under the grammar")):
            if points:
                parts.append(path(points, f"{colour(number)} {kind}"))
                parts += [
                    dot(x, y, 3, f"{colour(number)} {'fill' if points is held else 'hollow'}", words) for x, y in points
                ]
        if not number:
            parts.append(text(free[0][0] + 8, free[0][1] - 9, "freely", f"{colour(number)} label"))
        if not number and held:
            parts.append(text(held[0][0] + 2, held[0][1] + 18, "under the grammar", f"{colour(number)} label"))
    return picture(_WIDTH, 34 + 190 + 26, "Share of clean tunes by temperature", parts)


def removed(comparison: Comparison) -> str:
    """How much the grammar takes away: on average by temperature, and at temperature 1 character by character."""
    held = [(number, report) for number, report in enumerate(comparison.reports) if report.removed_spread]
    if not held:
        return ""
    means = [level.removed or 0.0 for _, report in held for level in report.levels]
    top, width = max(0.05, 1.1 * max(means)), 300.0
    frame = Frame(_LEFT, 34, width, 200, (0.45, 1.35), (0.0, top))
    parts = [text(frame.left, 16, "mean, by temperature", "panel")]
    parts.append(frame.y_axis([(tick, f"{tick:.0%}") for tick, _ in _round_ticks((0.0, top))]))
    parts.append(frame.x_axis([(step, f"{step:g}") for step in _temperatures(held[0][1])]))
    heights = _apart([frame.y(report.levels[-1].removed or 0.0) for _, report in held])
    for (number, report), height in zip(held, heights, strict=True):
        points = [(frame.x(level.temperature), frame.y(level.removed or 0.0)) for level in report.levels]
        parts.append(path(points, f"{colour(number)} stroke"))
        parts += [dot(x, y, 3, f"{colour(number)} fill", f"{report.name}") for x, y in points]
        parts.append(text(frame.right + 4, height + 4, report.name, f"{colour(number)} label"))
    bins = Frame(frame.right + 160, 34, _WIDTH - frame.right - 160, 200)
    parts.append(text(bins.left, 16, f"characters by how much is taken, temperature {AT:g}", "panel"))
    parts.append(bins.y_axis(_PERCENT))
    slot, part = bins.width / len(mask.BIN_NAMES), 0.8 / len(held)
    for place, name in enumerate(mask.BIN_NAMES):
        for order, (number, report) in enumerate(held):
            share = (report.removed_spread or {}).get(name, 0.0)
            x = bins.left + slot * (place + 0.1 + part * order)
            words = f"{report.name}, {name}: {share:.1%}"
            parts.append(
                bar(x, bins.y(share), slot * part - 1, bins.bottom - bins.y(share), f"{colour(number)} fill", words)
            )
        parts.append(text(bins.left + slot * (place + 0.5), bins.bottom + 16, name, "tick middle"))
    parts.append(bins.x_axis([]))
    return picture(_WIDTH, 34 + 200 + 26, "Probability that the grammar takes away", parts)


def aspect(comparison: Comparison, name: str) -> str:
    """How one aspect of the music is spread: each model's bars, and the real tunes' as a step line over them."""
    real = comparison.real.style.spreads[name]
    spreads = [report.style.spreads[name] if report.style else {} for report in comparison.reports]
    categories = _categories(name, real, spreads)
    drawn_freely = [each.style_free.spreads[name] for each in comparison.reports if each.style_free]
    drawn = (real, *spreads, *(drawn_freely if name in _OF_FORM else []))
    shares = [spread.get(category, 0.0) for spread in drawn for category in categories]
    top = max(1 / _SHARPEST, 1.06 * max(shares))
    is_wide = name == "bar rhythms"
    parts = []
    for number, report, place in _panels(comparison, 34, 110):
        frame = Frame(place.left, place.top, place.width, place.height, (0.0, float(len(categories))), (0.0, top))
        parts.append(text(frame.left, 16, report.name, f"{colour(number)} panel"))
        if report.overlaps:
            parts.append(text(frame.right, 16, f"overlap {report.overlaps[name]:.2f}", "tick end"))
        parts.append(frame.y_axis([(tick, f"{tick:.0%}") for tick, _ in _round_ticks((0.0, top), 3)], named=not number))
        slot = frame.width / len(categories)
        free = report.style_free.spreads[name] if report.style_free and name in _OF_FORM else None
        for index, category in enumerate(categories):
            share, x = spreads[number].get(category, 0.0), frame.x(index)
            words = f"{category}: {share:.1%}, real {real.get(category, 0.0):.1%}"
            parts.append(
                bar(x + 1, frame.y(share), slot - 2, frame.bottom - frame.y(share), f"{colour(number)} fill", words)
            )
            if is_wide:
                x, y = x + slot / 2 + 3, frame.bottom + 7
                parts.append(text(x, y, _short(category), "tick end", transform=f"rotate(-90 {x:.1f} {y:.1f})"))
            elif _is_named(name, category):
                parts.append(text(x + slot / 2, frame.bottom + 15, category.split("–")[0], "tick middle"))
        parts.append(path(_outline(frame, categories, real), "real stroke"))
        if free:
            parts.append(path(_outline(frame, categories, free), f"{colour(number)} dots"))
        parts.append(frame.x_axis([]))
    return picture(_WIDTH, 34 + 110 + (92 if is_wide else 24), f"Spread of {name}", parts)


def copying(comparison: Comparison) -> str:
    """The share of tunes with a shared run of so many bars or more, beside real tunes against the same tunes."""
    parts = []
    for number, report, place in _panels(comparison, 34, 170):
        frame = Frame(place.left, place.top, place.width, place.height, (0.5, RUNS[-1] + 0.5))
        parts.append(text(frame.left, 16, report.name, f"{colour(number)} panel"))
        parts.append(frame.y_axis(_PERCENT, named=not number))
        parts.append(frame.x_axis([(bars, f"≥ {bars}" if bars == 1 else f"{bars}") for bars in RUNS]))
        if report.copying is None or report.copying_of_real is None:
            parts.append(text(frame.left + 8, frame.top + 24, "what it learnt from is not known", "tick"))
            continue
        for found, class_ in ((report.copying_of_real, "real"), (report.copying, colour(number))):
            points = [(frame.x(bars), frame.y(found.share_by_bars[str(bars)])) for bars in RUNS]
            parts.append(path(points, f"{class_} stroke"))
            parts += [
                dot(x, y, 3, f"{class_} fill", f"{found.share_by_bars[str(bars)]:.0%} have {bars} bars or more")
                for (x, y), bars in zip(points, RUNS, strict=True)
            ]
        if not number:
            beside = frame.y(max(report.copying_of_real.share_by_bars["2"], report.copying.share_by_bars["2"]))
            parts.append(text(frame.x(2) + 8, beside - 4, "real tunes, held out", "real label"))
    parts.append(text(_WIDTH, 34 + 170 + 34, "bars of the longest run that it shares →", "tick end"))
    return picture(_WIDTH, 34 + 170 + 42, "Longest shared runs", parts)


# ------------------------------------------------------------------------------------------------ places


def _panels(comparison: Comparison, top: float, height: float) -> Iterator[tuple[int, Report, Frame]]:
    """Frames side by side, at least three wide so that one model alone does not fill the page."""
    columns = max(3, len(comparison.reports))
    width = (_WIDTH - _LEFT - _RIGHT - _GAP * (columns - 1)) / columns
    for number, report in enumerate(comparison.reports):
        yield number, report, Frame(_LEFT + number * (width + _GAP), top, width, height)


def _temperatures(report: Report) -> list[float]:
    return [level.temperature for level in report.levels]


def _interval(count: int, of: int) -> Point:
    """The 95 % interval of a share (Wilson, 1927)."""
    z, share = 1.96, count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _round_ticks(within: Point, about: int = 5) -> list[tuple[float, str]]:
    """About so many round numbers within a range, with their names."""
    low, high = within
    steps = [size * 10.0**power for power in range(-4, 3) for size in (1, 2, 5)]
    step = next(step for step in steps if (high - low) / step <= about)
    first = -(-low // step)
    ticks = [step * (first + index) for index in range(about + 1)]
    return [(tick, f"{tick:.3f}".rstrip("0").rstrip(".")) for tick in ticks if low <= tick <= high]


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights for labels, each as near to its own as the others leave room."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = [heights[index] for index in order]
    for _ in range(100):
        crowded = [
            (i, i + 1) for i, (above, below) in enumerate(pairwise(placed)) if below - above < _LABEL_HEIGHT - 0.01
        ]
        for one, other in crowded:
            push = (_LABEL_HEIGHT - (placed[other] - placed[one])) / 2
            placed[one], placed[other] = placed[one] - push, placed[other] + push
        if not crowded:
            break
    return [placed[order.index(index)] for index in range(len(heights))]


def _categories(name: str, real: Spread, spreads: list[Spread]) -> list[str]:
    """What the panels show, in the order of the matter; of rhythms and lengths, those that are common."""
    found = {category for spread in (real, *spreads) for category in spread}
    common = [category for category in found if max(spread.get(category, 0.0) for spread in (real, *spreads)) >= 0.01]
    if name == "scale degrees":
        return list(DEGREES)
    if name == "intervals":
        return [f"{step:+d}" if step else "0" for step in range(-WIDEST, WIDEST + 1)]
    if name == "durations":
        return sorted(common, key=_fraction)
    if name == "bar rhythms":
        weight = {category: real.get(category, 0.0) + sum(s.get(category, 0.0) for s in spreads) for category in found}
        return sorted(found, key=lambda category: (-real.get(category, 0.0), -weight[category], category))[
            :_MAX_RHYTHMS
        ]
    if name == "bars a tune":
        return sorted(common, key=lambda category: int(category.rstrip("+").split("–")[0]))
    if name == "bar repetition":
        return [*map(str, range(1, FARTHEST + 1)), NEW]
    if name == "bars a part":
        return [*map(str, range(1, LONGEST_PART)), f"{LONGEST_PART}+"]
    return [str(number) for number in range(min(map(int, common)), max(map(int, common)) + 1)]


def _outline(frame: Frame, categories: list[str], spread: Spread) -> list[Point]:
    """A spread as steps over the bars."""
    heights = [frame.y(spread.get(category, 0.0)) for category in categories]
    return [(frame.x(index + side), height) for index, height in enumerate(heights) for side in (0, 1)]


def _is_named(name: str, category: str) -> bool:
    """Whether a category's name stands below it; where there are many, every fourth does."""
    crowded = name in ("intervals", "bar repetition", "bars a part")
    number = category.strip("+-")
    return (
        not crowded
        or category in (NEW, "1")
        or (number.isdecimal() and int(number) % 4 == 0 and (name, number) != ("bar repetition", "16"))
    )


def _fraction(category: str) -> float:
    above, _, below = category.partition("/")
    return int(above) / int(below or 1)


def _short(rhythm: str) -> str:
    """Eighths, those of one length in a row counted: `1 1 1 1 2 2` as `4·1 2·2`."""
    notes = rhythm.split()
    runs: list[tuple[str, int]] = []
    for note in notes:
        runs = [*runs[:-1], (note, runs[-1][1] + 1)] if runs and runs[-1][0] == note else [*runs, (note, 1)]
    return " ".join(note if count == 1 else f"{count}×{note}" for note, count in runs)
