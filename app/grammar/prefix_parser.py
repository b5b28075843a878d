"""Parses a start string, which may end anywhere and have faults, into the automaton's state after it.

What is sound ABC but never generated (annotations, `!trill!`, inline fields, a line break inside a bar) is skipped.
A fault is reported with its position; the parser then resynchronises at the next bar line or field.
"""

import re
from fractions import Fraction

from app.abc.tokens import INLINE_FIELD
from app.abc.tunebook import FIELD
from app.abc.written_subset import FIELD_ORDER, HORNPIPE_METERS
from app.errors import Fault
from app.grammar import bar_lines, body, state_equivalence
from app.grammar.body import WILDCARD
from app.grammar.follow_sets import FOLLOW, KIND_OF, NOTE_KINDS
from app.grammar.header import Fields, Header, Text, Word, later
from app.grammar.pitch import KEYS
from app.grammar.specification import Specification, State
from app.grammar.state import At, Body, Partner, Repeat
from app.grammar.ticks import METERS, TICKS_PER_WHOLE, Meter
from app.grammar.title import Prefix

TIED_TEXT = re.compile(r"(\[[^\[\]\n]*\]|[\^_=]*[A-Ga-g][,']*)[0-9/]*-\Z")
"""The note or chord before a tie, at the end of a text."""

_LONGEST_TIED = 200
"""Characters before a tie in which its note or chord is looked for; a chord of twelve notes has a hundred."""

_HEADER_FIELDS = "ABCDFGHIKLMNOPQRSTUVXZr"
"""Those of ABC 2.1 that all readers take before the notes; of some they mind what is in it."""

_OTHER_KEYS = {"HP": 2, "Hp": 2, "none": 0}
"""The sharps of what ABC 2.1 has for `K:` beside keys: the highland pipes' scale, and none (section 3.1.14)."""

_NO_FIELD = "+"  # though it looks like one: it goes on with the text of the field before, which is not read here
_PASSED_OVER = re.compile(
    rf"""
      ![^!\n]*!             # a decoration by name
    | "[\^_<>@][^"\n]*"     # an annotation
    | {INLINE_FIELD} # a field within the line
    | [HLMNOPQSTUVWuvy`]   # a decoration by letter, a spacer
    | \\(?=\n) | %[^\n]*(?=\n) | [ ]+(?=[ \n])
    """,
    re.VERBOSE,
)
"""What is sound ABC between notes, and never generated."""

_END = re.compile(r"\|[|\]](?=\s*(\n\n|\Z))")
"""A bar line that ends a tune."""

_BAR_LINE = re.compile(r"::|:\|\[?2|:\|\]?|\|\||\|\]|\|:|\|\[?1|\[\||\|")


class PrefixParser:
    """Reads one start string; afterwards `state`, `faults` and `finished` tell what it found.

    Args:
        fields: of the request; they hold for what the text has not settled.
        anything: of no request.
    """

    def __init__(self, fields: Fields, anything: Fields, rules: Specification) -> None:
        self.state: State = Header(fields)
        self.faults: list[Fault] = []
        self.finished = 0
        self.fields = fields
        self._anything = anything
        self._rules = rules
        self._text = ""
        self._at = 0  # position in the text
        self._line, self._line_begins = 1, 0  # of the last fault
        self.header = Header(fields)
        """Of the tune that is being read, once it is whole."""

    def read(self, text: str) -> None:
        self._text = text
        while self._at < len(text):
            if isinstance(self.state, Header):
                self._header_line(self.state)
            elif self._at_line_start() and self._text[self._at] not in _NO_FIELD and FIELD.match(text, self._at):
                self._field_in_body(self.state)
            else:
                self._body_character(self.state)

    def _fault(self, message: str, position: int) -> None:
        line = self._line_of(position)
        column = position - self._line_begins + 1
        self.faults.append(Fault(message, field="start_string", position=position, line=line, column=column))

    def _line_of(self, position: int) -> int:
        """The line that a position is in, counted on from the one that was asked for last."""
        if position < self._line_begins:
            self._line, self._line_begins = 1, 0
        while (end := self._text.find("\n", self._line_begins, position)) >= 0:
            self._line, self._line_begins = self._line + 1, end + 1
        return self._line

    def _at_line_start(self) -> bool:
        return self._at == 0 or self._text[self._at - 1] == "\n"

    def _rest_of_line(self) -> tuple[str, bool]:
        """The line from here, and whether it is whole; the position moves behind it."""
        end = self._text.find("\n", self._at)
        line, is_whole = (self._text[self._at :], False) if end < 0 else (self._text[self._at : end], True)
        self._at += len(line) + is_whole
        return line, is_whole

    # -------------------------------------------------------------------------------------------- header

    def _header_line(self, state: Header) -> None:
        start = self._at
        line, is_whole = self._rest_of_line()
        if not line.strip():
            if state.last:
                self._fault("the header ends without K:", start)
                self.state = Header(self.fields)
            return
        if line.startswith("%"):
            return
        match = None if line[0] in _NO_FIELD else FIELD.fullmatch(line)
        if not match and (is_whole or not (len(line) == 1 and line.isalpha())):
            self._fault("this is no field; the header has a field on each line, in the order X T R M L K", start)
            self.state = state if is_whole else state._replace(field="X", colon=True, spoiled=True)
            return
        letter, value = match.groups() if match else (line, "")
        if is_whole and letter not in _HEADER_FIELDS:
            self._fault(f"{letter}: is not a field of the header", start)
        if letter in FIELD_ORDER and state.last and FIELD_ORDER.index(letter) < FIELD_ORDER.index(state.last):
            self._fault(f"{letter}: after {state.last}:; the order is X T R M L K", start)
        if is_whole:
            self._whole_field(state, letter, value, start)
        else:
            self._part_of_field(state, letter, value if match else None, start)

    def _whole_field(self, state: Header, letter: str, value: str, start: int) -> None:
        state = self._settled(state._replace(last=later(state.last, letter)), letter, value, start)
        self.state = state
        if letter == "K":
            self._expect(state.meter, "there is no M: before K:", start)
            self.header = state
            self.state = self._rules.start_body(state) or state

    def _settled(self, state: Header, letter: str, value: str, start: int) -> Header:
        value = " ".join(value.split("%")[0].split())
        match letter:
            case "R":
                return state.with_rhythm(value)
            case "M":
                meter = parse_meter(value)
                self._expect(meter, f"M:{value} is not a metre that is known here", start)
                if state.is_swung and meter and value not in HORNPIPE_METERS:
                    self._fault(f"M:{value} is no metre for a hornpipe; it is in {', '.join(HORNPIPE_METERS)}", start)
                return state._replace(meter=meter or METERS["4/4"])
            case "L":
                unit = parse_unit(value)
                self._expect(unit, f"L:{value} is not a unit length that is known here", start)
                return state._replace(unit=unit or 0)
            case "K":
                sharps = KEYS.get(value, _OTHER_KEYS.get(value))
                self._expect(
                    sharps,
                    f"K:{value} is not a key with at most seven accidentals; keys are like D, Bm, Ador, none",
                    start,
                )
                return state._replace(sharps=sharps or 0)
        return state

    def _expect(self, value: object | None, otherwise: str, position: int) -> None:
        if value is None:
            self._fault(otherwise, position)

    def _part_of_field(self, state: Header, letter: str, value: str | None, start: int) -> None:
        if letter not in state.fields.values:
            self._fault(f"{letter}: is not a field of the header", start)
            self.state = state._replace(field="X", colon=True, spoiled=True)
            return
        if letter == "K":
            self._expect(state.meter, "there is no M: before K:", start)
        self.state = state._replace(field=letter)
        if value is not None:
            self._part_of_value(self.state._replace(colon=True), value, start)

    def _part_of_value(self, state: Header, value: str, start: int) -> None:
        rule, written, is_rhythm = state.value, value.lstrip(), state.field == "R"
        if isinstance(rule, Text):
            read = state.read_rhythm(written) if is_rhythm else state
            self.state = read._replace(size=min(len(written), rule.limit))
        elif word := rule.walk(written) or self._any_word(state.field, written):
            self.state = state._replace(word=word)
        else:
            if state.field not in "TR":
                self._fault(f"{state.field}:{value} does not begin any value that is known here", start)
            self.state = (state.read_rhythm(written) if is_rhythm else state)._replace(size=0, spoiled=True)

    def _any_word(self, field: str, written: str) -> Prefix | Word | None:
        """Of a value that was not asked for."""
        rule = self._anything.values[field]
        return None if isinstance(rule, Text) else rule.walk(written)

    # -------------------------------------------------------------------------------------------- bars

    def _field_in_body(self, state: Body) -> None:
        start = self._at
        line, is_whole = self._rest_of_line()
        if is_whole:
            self._change(state, line, start)
        else:
            self._fault("a field among the notes is not continued", start)
            self.state = state._replace(at=At.FORCED, tie="\n")

    def _change(self, state: Body, field: str, start: int) -> None:
        """A field among the notes: a change of key, metre or unit length counts, any other is passed over."""
        letter, value = field.split(":", 1)
        self.header = self._settled(self.header, letter, value, start)
        changed = self._rules.start_body(self.header)
        if changed and letter in "MLK":
            left = changed.left if state.fresh and not state.split else state.left
            self.state = state._replace(context=changed.context, left=left)

    def _body_character(self, state: Body) -> None:
        character = self._text[self._at]
        between = state if state.at in FOLLOW else state_equivalence.passes_to(state)
        passed_over = _PASSED_OVER.match(self._text, self._at) if between else None
        if between and passed_over:
            self.state = between
            if character == "[":
                self._change(between, passed_over[0][1:-1], self._at)
            self._at = passed_over.end()
            return
        if character == "\n" and self._line_break(state):
            self._at += 1
            return
        if self._text.startswith("||", self._at) and self._split_section(state):
            self._at += 2
            return
        if (end := _END.match(self._text, self._at)) and self._short_end(state):
            self._at = end.end()
            return
        after = body.step(state, "z" if character == "x" else character)
        if after and after.tie == WILDCARD:
            tied = TIED_TEXT.search(self._text, max(0, self._at - _LONGEST_TIED), self._at + 1)
            after = after._replace(tie=tied[1]) if tied else None
        if after and after.at is At.END:
            self._end_tune()
            self._at += 1
        elif after and self._rules.is_safe(after):
            self.state = after
            self._at += 1
        else:
            is_after_bar = state.at is At.BAR and state.left > 0
            self._fault(_explanation(state, character), self._at - is_after_bar)
            self._recover(state)

    def _split_section(self, state: Body) -> bool:
        """`||` inside a bar that goes on after it."""
        note = state_equivalence.passed(state)
        after = bar_lines.split_section(note) if note.at in (At.GAP, At.SPACE) and note.left else None
        if after is None or bar_lines.double_bar(note) or not self._rules.is_safe(after):
            return False
        self.state = after
        return True

    def _short_end(self, state: Body) -> bool:
        """The last bar of a tune, which may be of any length, whatever its pickup."""
        note = state_equivalence.passed(state)
        is_open = note.repeat is Repeat.OPEN or note.ending == 1
        is_pending = note.fresh or note.tie or note.slur or note.tuplet or note.broken
        is_odd = note.left % note.context.chord_stroke > 0
        if note.at not in (At.GAP, At.SPACE) or is_open or is_pending or is_odd or note.context.form:
            return False
        if bar_lines.final_bar(note) or note.opening:
            return False
        self.state = _new_bar(note)._replace(at=At.BAR_LINE, repeat=Repeat.CLOSED, ending=0, final=True, over=True)
        return True

    def _line_break(self, state: Body) -> bool:
        """A line break that is not generated, but sound: inside a bar, after a space, or before the end of a tune."""
        note = None if state.at is At.BAR else state_equivalence.passes_to(state)
        if state.at is At.LINE and not state.final:
            if state.repeat is Repeat.OPEN or state.ending == 1:
                self._fault("the tune ends inside a repeat", self._at)
            self._end_tune()
            return True
        broken = note or (state if state.at in (At.GAP, At.SPACE, At.OPENING) else None)
        if broken is None or broken.tuplet or broken.broken or not self._rules.is_safe(broken._replace(at=At.LINE)):
            return False
        self.state = broken._replace(at=At.LINE)
        return True

    def _end_tune(self) -> None:
        self.state = Header(self.fields)
        self.finished += 1

    def _recover(self, state: Body) -> None:
        """Look for the next bar line, past anything in quotes or brackets, and go on in the bar after it."""
        in_quotes = state.at in (At.SYMBOL, At.GRACED_SYMBOL)
        while self._at < len(self._text):
            bar_line = None if in_quotes else _BAR_LINE.match(self._text, self._at)
            if bar_line:
                self._at = bar_line.end()
                self.state = self._after(state, bar_line[0])
                return
            if self._text.startswith("\n\n", self._at):
                self._at += 2
                self._end_tune()
                return
            in_quotes ^= self._text[self._at] == '"'
            self._at += 1
        self.state = _new_bar(state)._replace(at=At.FORCED, tie='"|' if in_quotes else "|")

    def _after(self, state: Body, bar_line: str) -> Body:
        fresh = _new_bar(state)
        if bar_line == "|" and self._at == len(self._text):
            after = fresh._replace(at=At.BAR, left=0, fresh=False)
        elif bar_line in ("|:", "::"):
            after = fresh._replace(at=At.OPENING, repeat=Repeat.OPEN, ending=0)
        elif bar_line.endswith("1"):
            after = fresh._replace(at=At.OPENING, ending=1)
        elif bar_line.endswith("2"):
            after = fresh._replace(at=At.OPENING, ending=2, repeat=Repeat.CLOSED)
        elif bar_line in ("|", "[|"):
            after = fresh._replace(at=At.BAR_LINE)
        else:
            after = fresh._replace(at=At.BAR_LINE, repeat=Repeat.CLOSED, ending=0, final=True)
        return after if self._rules.is_safe(after) else Body.start(after.context)._replace(opening=False)


def _new_bar(state: Body) -> Body:
    """The next bar of the same section, with nothing pending."""
    start = Body.start(state.context)
    return start._replace(opening=False, repeat=state.repeat, ending=state.ending, bars=state.bars, part=state.part)


def _explanation(state: Body, character: str) -> str:
    note = state if state.at is At.BAR else state_equivalence.passed(state)
    if character == ":" and note.repeat is Repeat.CLOSED:
        return "a repeat ends here that has not begun: there is no |: before it"
    if character == ":" and note.pickup and not note.left:
        return f"the last bar of the repeat is full; it should leave {_wholes(note.pickup)} to the pickup"
    if note.left and not note.fresh and (character in "|:" or note.at is At.BAR):
        return f"the bar is short by {_wholes(note.left)}"
    if state.context.swung and body.step(state._replace(partner=Partner.NONE), character):
        return f"{character!a} cannot stand here: abc2midi swings hornpipes, and this pair of notes it cannot"
    if character in "0123456789/" or KIND_OF.get(character) in NOTE_KINDS or (note is state and state.word):
        return f"{character!a} does not fit here: a note must be a note value, dotted or not, within the bar"
    return f"{character!a} cannot stand here"


def _wholes(ticks: int) -> str:
    return f"{Fraction(ticks, TICKS_PER_WHOLE)} of a whole note"


def parse_meter(value: str) -> Meter | None:
    """Any metre whose bars are whole ticks long."""
    if value in METERS:
        return METERS[value]
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", value)
    if not match or int(match[1]) == 0 or int(match[2]) not in (1, 2, 4, 8, 16, 32):
        return None
    return Meter.of(int(match[1]), int(match[2]))


def parse_unit(value: str) -> int | None:
    match = re.fullmatch(r"1/(\d{1,2})|1", value)
    parts = int(match[1] or 1) if match else 0
    return TICKS_PER_WHOLE // parts if parts in (1, 2, 4, 8, 16, 32) else None
