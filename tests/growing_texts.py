"""Texts that are small in bytes and grow in one thing that notation has: one kind each, as large as is asked for.

All keep to lines that the input filter lets through, so that what grows is what the readers make of them.
"""

from collections.abc import Callable
from itertools import cycle

MAX_BYTES = 32 * 1024
_WIDTH = 960
_HEAD = "X:1\nT:a\nM:4/4\nL:1/8\nQ:1/4=999\n"  # so fast that it is not their length in seconds that holds them
_PRIMES = [n for n in range(500, 1000) if all(n % divisor for divisor in range(2, 32))]


def _tune(*units: str, head: str = "", key: str = "C", width: int = _WIDTH) -> Callable[[int], str]:
    """A tune whose notes are these units over and over."""

    def write(size: int) -> str:
        lines, left = [""], size - len(_HEAD + head + key) - 4
        for unit in cycle(units):
            left -= len(unit)
            if left < 0:
                break
            if len(lines[-1]) + len(unit) > width:
                lines.append("")
                left -= 1
            lines[-1] += unit
        return f"{_HEAD}{head}K:{key}\n" + "\n".join(lines) + "\n"

    return write


def _repeated(block: str, *, before: str = "", after: str = "") -> Callable[[int], str]:
    """A block of lines over and over."""
    return lambda size: before + block * max(1, (size - len(before) - len(after)) // len(block)) + after


def _voices(unit: str, voices: int) -> Callable[[int], str]:
    """So many voices, each of one unit over and over."""

    def write(size: int) -> str:
        each = (size - 60) // voices
        part = (unit * (min(each, _WIDTH) // len(unit)) + "\n") * max(1, each // _WIDTH)
        return f"{_HEAD}K:C\n" + "".join(f"V:{number}\n{part}" for number in range(1, voices + 1))

    return write


GROWING: dict[str, Callable[[int], str]] = {
    "rests of 999 bars": _tune("Z999|"),
    "rests of two bars": _tune("Z2|"),
    "rests of 999 bars in 8 voices": _voices("Z999|", 8),
    "rests without bar lines": _tune("Z999"),
    "rests of long bars": _tune("[M:999/1]Z999|"),
    "rests, repeated": _tune("|:Z999:|"),
    "bars": _tune("c|"),
    "bars that many tunes have": _tune("G3-G|", head="M:2/4\n"),
    "bar lines": _tune("||"),
    "colons": _tune(":"),
    "one long bar": _tune("c"),
    "dense notes": _tune("C/8D/8|", head="Q:1/1=999\n"),
    "long notes": _tune("C999|"),
    "long notes, played fast": _tune("C999|", head="L:999\nQ:999/1=999\n"),
    "odd lengths": _tune(*(f"C1/{prime}" for prime in _PRIMES)),
    "odd units": _tune(*(f"[L:1/{prime}]C1/{prime}" for prime in _PRIMES)),
    "tuplets": _tune("(3cde"),
    "dense tuplets": _tune("(9:2:9cdefgabcd"),
    "tuplets that never end": _tune("(9:1:999c"),
    "broken rhythm": _tune("c>"),
    "broken rhythm, over and over": _tune("> "),
    "dots": _tune("c>>>>>>>>"),
    "repeats": _tune("|:c:|"),
    "repeats ten times": _tune("|:c::::::::::|"),
    "repeats that never end": _tune("|:c"),
    "endings": _tune("|1c:|2c:|"),
    "endings of many numbers": _tune("[1-999c|"),
    "overlays of bars before": _tune("c|&&&&c|"),
    "typed quotes": _tune("\u201cA\u201dc\u2019|"),
    "plus signs": _tune("+CE"),
    "exclamation marks before notes": _tune("!c"),
    "macros for any note": _tune("~c", head="m:~n=n/o/\n"),
    "lines before their words": _repeated("cdef|\n", before="X:1\nM:4/4\nL:1/4\nK:C\n", after="w:" + "a " * 200 + "\n"),
    "words without notes for them": _repeated("c|\nw:a b c\n", before="X:1\nM:4/4\nL:1/4\nK:C\n"),
    "headers of files": _repeated("M:4/4\n\n", after="X:1\nK:C\nc|\n"),
    "part order": lambda size: (
        f"{_HEAD}P:{'(' * 300}A{'9)9' * 150}\nK:C\n" + ("P:A\n" + "c|" * 32 + "\n") * (min(size, 6000) // 69)
    ),
    "parts": _repeated("P:A\n" + "c|" * 32 + "\n", before=_HEAD + "P:(A99)99\nK:C\n"),
    "inline parts": _tune("[P:A]c|", head="P:" + "A9" * 400 + "\n"),
    "voices": _tune(*(f"[V:{number}]c" for number in range(999))),
    "turns between voices": _tune("[V:1]c[V:2]c"),
    "lines of voices": _repeated("V:1\n" + "c|" * 32 + "\nV:2\n" + "c|" * 32 + "\n", before=_HEAD + "K:C\n"),
    "bars of many short metres": _tune("c999|", head="M:1/999\nL:1/1\n"),
    "keys": _tune("[K:Ddor ^f_b]c"),
    "a key of one long word": _repeated(f"K:C {'a' * (_WIDTH // 2)}\nc\n", before=_HEAD + "K:C\n"),
    "metres": _tune("[M:3/4]c[M:6/8]c"),
    "metres of spaces": _repeated(f"M:4{' ' * (_WIDTH // 2)}\nc\n", before=_HEAD + "K:C\n"),
    "units": _tune("[L:1/16]c[L:1/8]c"),
    "tempos": _tune("[Q:1/4=999]c"),
    "tempos of spaces": _repeated(f"Q:C{' ' * (_WIDTH // 2)}x\nc\n", before=_HEAD + "K:C\n"),
    "overlays": _tune("c&c|"),
    "grace notes": _tune("{cdefgab}c"),
    "grace notes alone": _tune("{" + "c" * 900 + "}"),
    "grace notes that never end": _tune("{"),
    "chords": _tune("[CEGc]"),
    "chords of many pieces": _tune("[C,D,E,F,G,A,B,CDEFG]341/64"),
    "chords that never end": _tune("["),
    "chords in chords": _tune("[[C]"),
    "fields that never end": _tune("[K:"),
    "chord symbols": _tune('"Am7/G"c'),
    "annotations": _tune('"^a"c'),
    "annotations of one note": _tune('"^a"'),
    "quotes in brackets": _tune('["["'),
    "ties": _tune("c-"),
    "ties over bars": _tune("c-|"),
    "tied chords": _tune("[ce]-"),
    "slurs": _tune("(c"),
    "slurs that close": _tune("c)"),
    "parentheses": _tune("("),
    "decorations": _tune("!trill!c"),
    "decorations of one note": _tune(".~HT"),
    "decorations that never end": _tune("!a "),
    "spacers": _tune("y"),
    "invisible rests": _tune("x"),
    "accidentals": _tune("^c_c=c"),
    "octaves": _tune("c'''''C,,,,,"),
    "no music": _tune("j"),
    "long words": _tune("j" * 900),
    "exclamation marks": _tune("c!"),
    "spaces": _tune("c" + " " * 900),
    "backslashes": _tune("c\\"),
    "digits": _tune("c 999"),
    "titles": _repeated(f"T:{'a' * 33}\n", before="X:1\n", after="K:C\nc\n"),
    "fields": _repeated(f"N:{'a' * 60}\nM:2/4\n", before="X:1\n", after="K:C\nc\n"),
    "a header of one long word": _repeated(f"Q:111{'a' * (_WIDTH // 2)}\n", before="X:1\n", after="K:C\nc\n"),
    "tunes": _repeated(f"X:1\nK:C\n{'c' * 124}\n\n"),
    "blank lines": _repeated("\n", before=_HEAD + "K:C\nc\n"),
    "comments": _repeated("%\n", before=_HEAD + "K:C\nc\n"),
    "words": _repeated("c" * 32 + "\nw:" + "la-la-*~_|" * 3 + "\n", before=_HEAD + "K:C\n"),
    "directives left out": _repeated(f"%%scale {'1' * 30}\n", before=_HEAD + "K:C\nc\n"),
    "directives refused": _repeated(f"%%{'x' * 33}\n", before=_HEAD + "K:C\nc\n"),
    "instructions": _tune("[I:x]"),
    "macros that never end": _tune("[m:"),
    "macros": _tune("~G2", head="m:~G2={A}G{F}G\n", width=240),
    "macros defined": _repeated("m:~G2={A}G{F}G\n~G2|\n", before=_HEAD + "K:C\n"),
    "symbols": _repeated("c" * 32 + "|\ns:" + '!trill!*"Am"|' * 3 + "\n", before=_HEAD + "K:C\n"),
    "signs": _tune("SccO!fine!c|"),
    "leaps": _tune("c!D.C.!c|"),
    "a leap after repeats": lambda size: _tune("|:c:|")(size - 20) + "cc!D.C.!|]\n",
    "control characters": _tune("\x01"),
}
"""By what grows."""
