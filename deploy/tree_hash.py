"""Hashes the files of a tar archive by all but their dates: `docker export NAME | python tree_hash.py [LIST]`."""

import hashlib
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_DOCKERS_OWN = (".dockerenv", "dev/", "proc/", "sys/", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab")
"""what Docker puts into every container"""


def entries(archive: BinaryIO) -> Iterator[str]:
    """A line for each file: its kind, mode, owner, name, and where it points or the SHA-256 of its content."""
    with tarfile.open(fileobj=archive, mode="r|") as tar:
        for entry in tar:
            if entry.name.startswith(_DOCKERS_OWN):
                continue
            content = entry.linkname
            if entry.isreg() and (file := tar.extractfile(entry)):
                content = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            yield f"{entry.type.decode()} {entry.mode:04o} {entry.uid}:{entry.gid} {entry.name} {content}"


def main() -> None:
    """Print the hash of the sorted lines, which go into a file if one is named."""
    text = "".join(f"{line}\n" for line in sorted(entries(sys.stdin.buffer)))
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(text, "utf-8")
    print(hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
