"""Characters as text programs type them: curly quotes, long dashes and odd spaces, as what is meant among notes."""

import re

_MEANT = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
    **dict.fromkeys("\u2018\u2019\u2032\u02bc", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
}
_TYPED = re.compile(rf'"[^"]*"|[{"".join(_MEANT)}]|[^\S ]')


def as_meant(line: str) -> str:
    """A line of music with plain quotes, dashes and spaces, each where it stood; texts in plain quotes stay."""
    return line if line.isascii() else _TYPED.sub(_plain, line)


def _plain(found: re.Match[str]) -> str:
    return found[0] if found[0][0] == '"' else _MEANT.get(found[0], " ")
