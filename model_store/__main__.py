"""The command line of the model store: `python -m model_store list` and `rollback NAME [VERSION]`."""

import argparse
import os
import sys
from pathlib import Path

from model_store.errors import StoreError
from model_store.store import Store

_OWN = Path(__file__).resolve().parent / "checkpoints"


def _list(store: Store) -> None:
    for name in store.names():
        current = store.current(name)
        for version in store.versions(name):
            try:
                made = f"{store.load(name, version).manifest.created:%Y-%m-%d}"
            except StoreError as error:
                made = f"cannot be used: {error}"
            print(f"{name}/{version} {made}{' (current)' if version == current else ''}")


def main(arguments: list[str] | None = None, prog: str = "python -m model_store") -> int:
    """Do what the command line says; exit status 2 and one line where the store cannot."""
    parser = argparse.ArgumentParser(prog=prog, description="The models of a store.")
    parser.add_argument("--store", default=os.environ.get("LILT_MODEL_STORE") or _OWN, metavar="FOLDER")
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("list", help="every version, when it was published, and which is current")
    rollback = commands.add_parser("rollback", help="make an earlier version current")
    rollback.add_argument("name")
    rollback.add_argument("version", type=int, nargs="?", help="the one before the current one if none is named")
    options = parser.parse_args(arguments)
    store = Store(options.store)
    try:
        if options.command == "list":
            _list(store)
        else:
            manifest = store.rollback(options.name, options.version).manifest
            print(f"current is {manifest.name}/{manifest.version}")
    except (StoreError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
