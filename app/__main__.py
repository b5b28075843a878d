"""`python -m app`: the command `lilt` where it is not installed; without arguments it serves."""

import sys
from typing import TYPE_CHECKING

from app.cli import main as command_line

if TYPE_CHECKING:
    from app.generation.bulk import Drawing


def main(arguments: list[str] | None = None, drawing: "Drawing | None" = None) -> int:
    """Run a command. `drawing` is `bulk.run`'s."""
    given = sys.argv[1:] if arguments is None else arguments
    return command_line.run(given or ["serve"], "python -m app", drawing)


if __name__ == "__main__":
    sys.exit(main())
