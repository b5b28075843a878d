"""Content negotiation: chooses the response's media type and encoding by `Accept` headers (RFC 9110, section 12.5)."""

from app.errors import NotAcceptableError


def choose_media_type(accept: str | None, offered: tuple[str, ...]) -> str:
    """The offered type that `Accept` prefers; the earlier one where it prefers none.

    Raises:
        NotAcceptableError: none of them is accepted.
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = [_parse(part) for part in accept.split(",")]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    if _quality(best, ranges) == 0:
        raise NotAcceptableError(f"no acceptable media type; these are offered: {', '.join(offered)}")
    return best


def is_accepted(encoding: str, accept: str | None) -> bool:
    """Whether `Accept-Encoding` accepts an encoding other than `identity`."""
    ranges = dict(_parse(part) for part in (accept or "").split(","))
    return ranges.get(encoding, ranges.get("*", 0.0)) > 0


def _parse(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media_range, min(1.0, max(0.0, float(value)))
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that matches."""
    for candidate in (media_type, media_type.split("/")[0] + "/*", "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == candidate]
        if qualities:
            return max(qualities)
    return 0.0
