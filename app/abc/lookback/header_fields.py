"""What the fields of a tune have said so far of metre, unit length, rhythm and key."""

from app.abc.lookback.header_numbers import RHYTHMS, WHOLE, key_number, meter_number, rhythm_number, ticks_of

_SIXTEENTH, _EIGHTH = WHOLE // 16, WHOLE // 8


class HeaderFields:
    """The fields of one tune.

    `unit` and `bar_ticks` are 0 where nothing says, before `complete`; `tonic` is its step above C, -1 for none that
    is known, and 0 before there is a key.
    """

    __slots__ = ("_meter", "_rhythm", "bar_ticks", "key", "tonic", "unit")

    def __init__(self) -> None:
        self._meter = self._rhythm = 0
        self.unit = self.bar_ticks = 0
        self.tonic = self.key = 0

    def copy(self) -> "HeaderFields":
        """A copy that changes independently."""
        other = HeaderFields.__new__(HeaderFields)
        for name in HeaderFields.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    @property
    def form(self) -> int:
        """What the column `form` says."""
        return self._meter * RHYTHMS + self._rhythm

    def take(self, name: str, value: str) -> None:
        """Take a field by its letter."""
        if name == "M":
            self._meter, self.bar_ticks = meter_number(value)
        elif name == "L":
            self.unit = ticks_of(value)
        elif name == "R":
            self._rhythm = rhythm_number(value)
        elif name == "K":
            self.tonic, self.key = key_number(value)

    def complete(self) -> None:
        """Fill in what no field has said."""
        if not self.unit:
            self.unit = _EIGHTH if not self.bar_ticks or self.bar_ticks >= WHOLE * 3 // 4 else _SIXTEENTH
        self.bar_ticks = self.bar_ticks or WHOLE
