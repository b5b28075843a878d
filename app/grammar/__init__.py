"""Which characters may come next, so that every tune is one that any ABC program takes without complaint."""

from app.grammar.cursor import Cursor, Grammar
from app.grammar.menus import Menus
from app.grammar.request import Form, Request

__all__ = ["Cursor", "Form", "Grammar", "Menus", "Request"]
