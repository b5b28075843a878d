r"""Texts in ABC as they are to be read: accents as `\'o`, `&oacute;` and `\u00f3`, and comments left out.

ABC standard 2.1, sections 8.2 (text strings) and 2.2.3 (comments).
"""

import re
import unicodedata
from html import unescape

COMMENT = re.compile(r"(?<!\\)%")
r"""What a comment begins with; `\%` is no such sign."""

_ESCAPE = re.compile(
    r"\\u(?P<four>[0-9A-Fa-f]{4})|\\U(?P<eight>[0-9A-Fa-f]{8})|&(?P<entity>[A-Za-z]{2,8}[0-9]{0,2}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});"
    r"|\\(?P<pair>AA|aa|AE|ae|OE|oe|SS|ss|NG|ng|DH|dh|TH|th)|\\(?P<mark>[`'^\"~=.,;/vuHcro])(?:(?P<letter>[A-Za-z])|\{(?P<braced>[A-Za-z])\})"
    r"|\\(?P<plain>[&%\\])"
)
_MARKS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "o": "\u030a", "H": "\u030b", "v": "\u030c", "c": "\u0327", ",": "\u0327",
    ";": "\u0328",
}  # fmt: skip
"""What combines with the letter after it"""

_LETTERS = {
    "AA": "\u00c5", "aa": "\u00e5", "AE": "\u00c6", "ae": "\u00e6", "OE": "\u0152", "oe": "\u0153", "SS": "\u1e9e",
    "ss": "\u00df", "NG": "\u014a", "ng": "\u014b", "DH": "\u00d0", "dh": "\u00f0", "TH": "\u00de", "th": "\u00fe",
}  # fmt: skip
_CROSSED = {
    "O": "\u00d8", "o": "\u00f8", "D": "\u0110", "d": "\u0111", "L": "\u0141", "l": "\u0142", "H": "\u0126",
    "h": "\u0127",
}  # fmt: skip


def without_comment(line: str) -> str:
    r"""What stands before a line's comment, without space at its end; `\%` begins none."""
    return COMMENT.split(line, maxsplit=1)[0].rstrip()


def readable(text: str) -> str:
    """A text with its accents, and nothing in it that is not printed."""
    if "\\" in text or "&" in text:
        text = _ESCAPE.sub(_said, text)
    return "".join(character for character in text if character.isprintable())


def on_one_line(text: str) -> str:
    """A text with blanks for what is not printed in it, such as line breaks, controls and signs of direction."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _said(found: re.Match[str]) -> str:
    if digits := found["four"] or found["eight"]:
        number = int(digits, 16)
        return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else ""
    if found["entity"]:
        return unescape(found[0])
    if found["pair"]:
        return _LETTERS[found["pair"]]
    if found["plain"]:
        return found["plain"]
    mark, letter = found["mark"], found["letter"] or found["braced"]
    if mark == "/":
        return _CROSSED.get(letter, letter)
    made = unicodedata.normalize("NFC", letter + _MARKS[mark])
    return made if len(made) == 1 else letter
