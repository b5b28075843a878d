"""Opens a stranger's MusicXML, packed or not, and gives its measures one by one; bounded before anything is expanded.

No entity but XML's own five is read, and no other file. MusicXML 4.0, W3C; the packed form is its `.mxl`.
"""

import re
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from app.errors import NotationError

MAX_XML_BYTES = 8 * 1024 * 1024
"""as unpacked; a tune of 32 bars has 50 to 150 KiB"""

PACKED = b"PK\x03\x04"
_MAX_ELEMENTS = 400_000
"""10,000 notes are half of that"""

_MAX_DEPTH = 32
_MAX_ATTRIBUTES = 100
"""of an element"""

_MAX_TEXT = 1000
"""characters kept of an element"""

_MAX_FILES = 200
"""in a packed one"""

_PIECE = 64 * 1024
_CONTAINER = "META-INF/container.xml"
_ROOTS = ("score-partwise", "score-timewise")


class Measure(NamedTuple):
    """What a part plays in one measure: the elements in their order."""

    part: str
    number: str
    elements: list[Element]


def is_musicxml(content: bytes) -> bool:
    """Whether a file seems to be MusicXML, by its first bytes."""
    start = content[:2000].replace(b"\0", b"")  # of UTF-16 every other byte
    return content.startswith(PACKED) or re.search(rb"<(?:\?xml|!DOCTYPE|score-(?:part|time)wise)", start) is not None


def read(content: bytes, take_header: Callable[[Element], None], take_measure: Callable[[Measure], None]) -> None:
    """Go through a document.

    Args:
        content: MusicXML, as a file has it.
        take_header: called with each element that stands beside the parts: `work`, `part-list` …
        take_measure: called with each measure of each part, in the document's order.

    Raises:
        NotationError: it is no MusicXML, or larger than is allowed.
    """
    text = _unpacked(content) if content.startswith(PACKED) else content
    if len(text) > MAX_XML_BYTES:
        raise NotationError(f"the document has {len(text):,} bytes; {MAX_XML_BYTES:,} are allowed")
    _Parser(take_header, take_measure).feed(text)


def _unpacked(content: bytes) -> bytes:
    """The score within a packed file."""
    try:
        with ZipFile(BytesIO(content)) as packed:
            names = packed.namelist()
            if len(names) > _MAX_FILES:
                raise NotationError(f"the packed file holds {len(names):,} files; {_MAX_FILES} are allowed")
            name = _named_score(_member(packed, _CONTAINER)) if _CONTAINER in names else None
            name = name or next((name for name in names if name.lower().endswith((".musicxml", ".xml"))), None)
            if name is None:
                raise NotationError("the packed file holds no score")
            return _member(packed, name)
    except KeyError:
        raise NotationError("the packed file holds no score where its container says that it is") from None
    except (BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise NotationError("the packed file is broken, or packed in a way that is not read here") from None


def _member(packed: ZipFile, name: str) -> bytes:
    info = packed.getinfo(name)
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # others may ask for gigabytes before a byte comes out
        raise NotationError("the packed file is packed in a way that is not read here")
    with packed.open(info) as file:
        content = file.read(MAX_XML_BYTES + 1)  # whatever the file says of its length
    if len(content) > MAX_XML_BYTES:
        raise NotationError(f"the packed score has more than the {MAX_XML_BYTES:,} bytes that are allowed")
    return content


def _named_score(container: bytes) -> str | None:
    match = re.search(rb"<rootfile\s[^>]*?full-path\s*=\s*[\"']([^\"']{1,500})[\"']", container)
    return match[1].decode("utf-8", "replace") if match else None


class _Parser:
    """Builds the elements of one measure at a time; what is done with is let go."""

    def __init__(self, take_header: Callable[[Element], None], take_measure: Callable[[Measure], None]) -> None:
        self._take_header = take_header
        self._take_measure = take_measure
        self._stack: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        self._is_timewise = False
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._refuse_entity
        self._parser.AttlistDeclHandler = self._refuse_attributes

    def feed(self, text: bytes) -> None:
        """Take a whole document, a piece at a time, so that other threads have their turns."""
        try:
            for start in range(0, len(text), _PIECE):
                self._parser.Parse(text[start : start + _PIECE], False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            why = expat.ErrorString(error.code)
            raise NotationError(f"the document is broken XML: line {error.lineno}: {why}") from None
        except (LookupError, ValueError):
            raise NotationError("the document is in an encoding that is not read here; save it as UTF-8") from None

    def _refuse_entity(self, *_: object) -> None:
        raise NotationError("the document declares entities, which are not read here")

    def _refuse_attributes(self, *_: object) -> None:
        """Their defaults would come with each element of that name, whatever it says itself."""
        raise NotationError("the document declares attributes, which are not read here")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._count += 1
        if self._count > _MAX_ELEMENTS:
            raise NotationError(f"the document has more than the {_MAX_ELEMENTS:,} elements that are allowed")
        if len(self._stack) >= _MAX_DEPTH:
            raise NotationError(f"the document's elements stand more than {_MAX_DEPTH} deep in one another")
        if len(attributes) > _MAX_ATTRIBUTES:
            raise NotationError(f"an element has more than the {_MAX_ATTRIBUTES} attributes that are allowed")
        if not self._stack:
            if name not in _ROOTS:
                raise NotationError(f"the document is XML, but no MusicXML: it begins with <{name[:40]}>")
            self._is_timewise = name == _ROOTS[1]
        element = Element(name, {key: value[:_MAX_TEXT] for key, value in attributes.items()})
        if self._stack and not self._begins_by_itself(name):
            self._stack[-1].append(element)
        self._stack.append(element)
        self._texts.append([])

    def _begins_by_itself(self, name: str) -> bool:
        """Whether an element is handed on when it ends, and not kept: a child of the root, or a measure of a part."""
        return len(self._stack) == 1 or (len(self._stack) == 2 and name in ("measure", "part"))

    def _text(self, text: str) -> None:
        if self._texts and len(kept := self._texts[-1]) < _MAX_TEXT:
            kept.append(text[:_MAX_TEXT])

    def _end(self, _: str) -> None:
        element = self._stack.pop()
        element.text = "".join(self._texts.pop())[:_MAX_TEXT].strip()
        depth = len(self._stack)
        if depth == 2 and element.tag in ("measure", "part"):
            part, measure = (element, self._stack[-1]) if self._is_timewise else (self._stack[-1], element)
            self._take_measure(Measure(part.get("id", ""), measure.get("number", ""), list(element)))
        elif depth == 1 and element.tag not in ("measure", "part"):
            self._take_header(element)
