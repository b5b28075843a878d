"""Which characters may come next, so that every tune is one that any ABC program takes without complaint."""

from app.grammar.automaton import Cursor, Grammar
from app.grammar.request import Form, Request

__all__ = ["Cursor", "Form", "Grammar", "Request"]
