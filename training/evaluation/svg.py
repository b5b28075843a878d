"""The few SVG elements that the plots are made of, and the frame that places numbers in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

Point = tuple[float, float]


def element(name: str, content: str = "", **attributes: float | str) -> str:
    """One element; `_` in an attribute's name stands for `-`, one at its end for nothing."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>"


def _value(value: float | str) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def text(x: float, y: float, words: str, class_: str = "", **attributes: float | str) -> str:
    return element("text", escape(words), x=x, y=y, class_=class_, **attributes)


def line(one: Point, other: Point, class_: str) -> str:
    return element("line", x1=one[0], y1=one[1], x2=other[0], y2=other[1], class_=class_)


def path(points: Iterable[Point], class_: str) -> str:
    return element("polyline", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in points), class_=class_)


def bar(x: float, y: float, width: float, height: float, class_: str, words: str) -> str:
    """A rectangle that says in words what it shows."""
    return element(
        "rect", element("title", escape(words)), x=x, y=y, width=width, height=max(height, 0.0), class_=class_
    )


def dot(x: float, y: float, radius: float, class_: str, words: str) -> str:
    return element("circle", element("title", escape(words)), cx=x, cy=y, r=radius, class_=class_)


def picture(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    """A plot with what it shows said for those who cannot see it; it is drawn no larger than it is."""
    return element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_="plot",
    )


@dataclass(frozen=True)
class Frame:
    """A rectangle in a picture, and the numbers at its edges; y grows upwards."""

    left: float
    top: float
    width: float
    height: float
    x_range: Point = (0.0, 1.0)
    y_range: Point = (0.0, 1.0)
    is_log: bool = False  # of x

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        low, high = self.x_range
        share = (log10(value / low) / log10(high / low)) if self.is_log else (value - low) / (high - low)
        return self.left + self.width * share

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.bottom - self.height * (value - low) / (high - low)

    def y_axis(self, ticks: Iterable[tuple[float, str]], *, named: bool = True) -> str:
        """Hairlines across, with their names on the left."""
        drawn = []
        for value, name in ticks:
            drawn.append(line((self.left, self.y(value)), (self.right, self.y(value)), "grid"))
            if named:
                drawn.append(text(self.left - 6, self.y(value) + 4, name, "tick end"))
        return "".join(drawn)

    def x_axis(self, ticks: Iterable[tuple[float, str]]) -> str:
        drawn = [line((self.left, self.bottom), (self.right, self.bottom), "axis")]
        drawn += [text(self.x(value), self.bottom + 16, name, "tick middle") for value, name in ticks]
        return "".join(drawn)
