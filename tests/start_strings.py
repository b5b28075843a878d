"""Start strings that end anywhere and hold anything, each with the place of its first fault."""

from dataclasses import dataclass

HEADER = "X:1\nM:4/4\nL:1/8\nK:D\n"


@dataclass(frozen=True)
class Start:
    """A start string; `fault` is the line and column of its first fault, None where it has none."""

    name: str
    text: str
    fault: tuple[int, int] | None = None


STARTS = (
    Start("nothing", ""),
    Start("a blank line", "\n\n"),
    Start("X alone", "X"),
    Start("X and its colon", "X:"),
    Start("a number", "X:1"),
    Start("a title that goes on", "X:1\nT:The Old"),
    Start("a field that is never generated", "X:1\nZ:trad\n"),
    Start("a rhythm that goes on", "X:1\nR:horn"),
    Start("a metre that goes on", "X:1\nM:6"),
    Start("a unit length that goes on", "X:1\nM:6/8\nL:1/"),
    Start("a key that goes on", "X:1\nM:6/8\nL:1/8\nK:A D"),
    Start("a mode in full", "X:1\nM:6/8\nL:1/8\nK:F# Phrygian\n"),
    Start("a mode that is rare", "X:1\nM:9/8\nL:1/8\nK:Ebaeo\n"),
    Start("the highland pipes", "X:1\nM:2/4\nL:1/8\nK:HP\n"),
    Start("the highland pipes, their signs drawn", "X:1\nM:2/4\nL:1/8\nK:Hp\n"),
    Start("no key", "X:1\nM:4/4\nL:1/8\nK:none\n"),
    Start("a header with a tempo", "X:1\nQ:1/4=120\nM:4/4\nL:1/8\nK:D\n"),
    Start("no unit length", "X:1\nM:2/4\nK:D\nA"),
    Start("mid-bar", HEADER + "A2B"),
    Start("half a length", HEADER + "A3/"),
    Start("an accidental", HEADER + "^"),
    Start("a rest", HEADER + "z2"),
    Start("inside a chord", HEADER + "[DF"),
    Start("inside a grace group", HEADER + "{g"),
    Start("inside a chord symbol", HEADER + '"A'),
    Start("after (", HEADER + "A2("),
    Start("inside a slur", HEADER + "(AB"),
    Start("after the start of a tuplet", HEADER + "A2(3"),
    Start("inside a tuplet", HEADER + "(3AB"),
    Start("after half a dotted pair", HEADER + "A>"),
    Start("after a tie", HEADER + "A4-"),
    Start("after a tie over the bar", HEADER + "A8-|"),
    Start("after a tied chord", HEADER + "[DF]4-"),
    Start("after a pickup", HEADER + "A2|"),
    Start("after a bar line", HEADER + "A8|"),
    Start("after a repeat sign", HEADER + "A8|\n|:"),
    Start("after a closed repeat", HEADER + "|:A8:|"),
    Start("half a repeat sign", HEADER + "|:A8:"),
    Start("in a first ending", HEADER + "|:A8|1B2"),
    Start("in a second ending", HEADER + "|:A2|B8|1d6:|2d"),
    Start("after a tune and a blank line", HEADER + "A8|B8|]\n\n"),
    Start("in a second tune's header", HEADER + "A8|B8|]\n\nX:2\nT:B"),
    Start("a hornpipe's dotted pair", "X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:D\nA>Bc>d"),
    Start("a bar that is short", HEADER + "A8|B4|c", (5, 6)),
    Start("a bar that is long", HEADER + "A8|B8c|d", (5, 6)),
    Start("a length that no note has", HEADER + "A5B3|c8|", (5, 2)),
    Start("a character that is no music", HEADER + "A8|}c", (5, 4)),
    Start("a repeat that is left open", HEADER + "|:A8|\n\n", (6, 1)),
    Start("a tie to another note", HEADER + "A4-B4|", (5, 4)),
    Start("an unknown field", "X:1\nE:5\nM:4/4\n", (2, 1)),
    Start("an unknown field that goes on", "X:1\nw:la", (2, 1)),
    Start("notes in the header", "X:1\nT:The Old\nc", (3, 1)),
    Start("a key in lower case", "X:1\nM:4/4\nL:1/8\nK:d\n", (4, 1)),
    Start("fields out of order", "M:4/4\nX:1\n", (2, 1)),
    Start("no field at all", "hello", (1, 1)),
    Start("a key that there is not", "X:1\nM:4/4\nL:1/8\nK:H\n", (4, 1)),
    Start("a hornpipe in six-eight", "X:1\nR:hornpipe\nM:6/8\nL:1/8\nK:D\nA3B3|", (3, 1)),
    Start("lines that end in CR and LF", "X:1\r\nM:4/4\r\nL:1/8\r\nK:D\r\nA8|"),
)
