"""The first tunes of several models side by side, as scores in one picture: seeds from 1 up, none picked."""

import re
from collections.abc import Mapping, Sequence
from html import escape

from training.evaluation.engraved_scores import engraved_scores

_WIDTH, _GAP, _HEADING = 640, 24, 34  # pixels
_VIEW_BOX = re.compile(r'<svg viewBox="0 0 (\d+) (\d+)"')


def picture(tunes: Mapping[str, Sequence[str]]) -> str:
    """A column for each model, by name; the tunes of a row have the same seed."""
    columns = [
        [_placed(element) for element in engraved_scores(list(column), f"m{number}-")]
        for number, column in enumerate(tunes.values())
    ]
    rows = list(zip(*columns, strict=True))
    top, parts = _HEADING, []
    for number, name in enumerate(tunes):
        parts.append(f'<text x="{number * (_WIDTH + _GAP) + 8}" y="22" font-size="18">{escape(name)}</text>')
    for row in rows:
        for number, (element, _) in enumerate(row):
            parts.append(f'<g transform="translate({number * (_WIDTH + _GAP)} {top})">{element}</g>')
        top += max(height for _, height in row) + _GAP
    width = len(columns) * (_WIDTH + _GAP) - _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" font-family="sans-serif">\n'
        f'<rect width="{width}" height="{top}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _placed(element: str | None) -> tuple[str, int]:
    """A score at the picture's width, and its height; nothing where there is none."""
    found = _VIEW_BOX.match(element or "")
    if element is None or found is None:
        return "", 0
    height = round(_WIDTH * int(found[2]) / int(found[1]))
    return element.replace("<svg ", f'<svg width="{_WIDTH}" height="{height}" ', 1), height
