"""The command line of the model store: `python -m model_store list`, `rollback NAME [VERSION]` and `copy`."""

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


def _copy(source: Store, store: Store, names: list[str]) -> None:
    if source.root.resolve() == store.root.resolve():
        raise StoreError(f"{store.root}: that is the store itself; name the one to copy from with --from")
    for name in names or source.names():
        copied = store.copy(source, name)
        new = ", ".join(f"{name}/{version}" for version in copied.versions) or "nothing new"
        print(f"{name}: {new}; current is {name}/{copied.current}")


def main(arguments: list[str] | None = None, prog: str = "python -m model_store") -> int:
    """Do what the command line says; exit status 2 and one line where the store cannot."""
    parser = argparse.ArgumentParser(prog=prog, description="The models of a store.")
    parser.add_argument(
        "--store",
        help="which one (LILT_MODEL_STORE, or the models that come with Lilt)",
        default=os.environ.get("LILT_MODEL_STORE") or _OWN,
        metavar="FOLDER",
    )
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser("list", help="every version, when it was published, and which is current")
    rollback = commands.add_parser("rollback", help="make an earlier version current")
    rollback.add_argument("name")
    rollback.add_argument("version", type=int, nargs="?", help="the one before the current one if none is named")
    copy = commands.add_parser("copy", help="bring another store's models here; what is in use here stays in use")
    copy.add_argument("names", nargs="*", metavar="NAME", help="which (all)")
    copy.add_argument(
        "--from", dest="source", default=_OWN, metavar="FOLDER", help="whence (the models that come with Lilt)"
    )
    options = parser.parse_args(arguments)
    store = Store(options.store)
    try:
        if options.command == "list":
            _list(store)
        elif options.command == "copy":
            _copy(Store(options.source), store, options.names)
        else:
            manifest = store.rollback(options.name, options.version).manifest
            print(f"current is {manifest.name}/{manifest.version}")
    except (StoreError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
