"""The grammar for constrained decoding: which characters may come next, so that every tune is valid ABC."""

from app.grammar.constraint import Grammar
from app.grammar.cursor import Cursor, DrawnHeader
from app.grammar.request import Form, Request

__all__ = ["Cursor", "DrawnHeader", "Form", "Grammar", "Request"]
