"""What of an imported file is left out, each kind once."""

from dataclasses import dataclass, field

_MAX_NAMED = 20


@dataclass
class ImportReport:
    """Collects what is left out, in words for the one who sent the file."""

    _counts: dict[str, int] = field(default_factory=dict)
    _measures: dict[str, str] = field(default_factory=dict)

    def leave_out(self, what: str, measure: str = "") -> None:
        """Say that something is left out; where in the file, by its measure's number."""
        if what in self._counts or len(self._counts) < _MAX_NAMED:
            self._counts[what] = self._counts.get(what, 0) + 1
            self._measures.setdefault(what, measure)

    @property
    def left_out(self) -> tuple[str, ...]:
        """A line for each kind of thing."""
        return tuple(self._line(what, count) for what, count in self._counts.items())

    def _line(self, what: str, count: int) -> str:
        measure = self._measures[what][:20]
        where = f"measure {measure}" if measure and count == 1 else f"first in measure {measure}" if measure else ""
        times = f"{count} times" if count > 1 else ""
        return what + (f" ({', '.join(filter(None, (times, where)))})" if times or where else "")
