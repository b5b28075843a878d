"""Checks that a package is Lilt's own: other projects have folders called `training` or `model_store` too."""

from importlib.util import find_spec
from pathlib import Path

from app.errors import SetupError

_ROOT = Path(__file__).resolve().parents[2]


def check(name: str) -> None:
    """Check what an import of this package would find; one that is not there at all is none of another's.

    Raises:
        SetupError: it is another project's; the text says where that is, and what to do.
    """
    spec = find_spec(name)
    if spec is None:
        return
    found = Path(spec.origin).parent if spec.origin else Path(next(iter(spec.submodule_search_locations or [""])))
    if found.resolve() != (_ROOT / name).resolve():
        raise SetupError(
            f"{found} is not Lilt's package `{name}`, and Python finds it first; leave that folder, unset PYTHONPATH, "
            "or install Lilt in an environment of its own (`uv tool install`, `pipx install`)"
        )
