"""Lilt's version, said once: pyproject.toml, the OpenAPI document and `lilt --version` take it from here."""

VERSION = "0.1.0"
