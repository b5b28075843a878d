"""The tunebook of MIT 6.S191 Lab 1, out of the source package of `mitdeeplearning` 0.2.0, which is never imported.

The package holds 817 Irish tunes in one file (MIT licence). It is downloaded through pip once, checked against its
SHA-256, and the tunebook kept in `corpora/`.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from training import durable
from training.errors import CorpusError

NAME = "irish"
ORIGIN = "irish.abc of mitdeeplearning 0.2.0 (MIT 6.S191, Lab 1)"
LICENCE = "MIT"
REQUIREMENT = "mitdeeplearning==0.2.0"
PACKAGE_SHA256 = "6713b8a30b66021c3e42587196cc2fd29cfeb22cb7309605a1d5715a00068306"
MEMBER = "mitdeeplearning-0.2.0/mitdeeplearning/data/irish.abc"
TUNEBOOK_SHA256 = "df3782d5f7b5a2f4c66aa7c13f13008d5f48757b3f5f51620cd6c1ceb2c53023"
CACHE = Path(__file__).parent.parent / "corpora"

_SNIPPET = re.compile(
    r"(?=(^|\n\n)(.*?)\n\n)", re.DOTALL
)  # the lookahead finds overlapping matches too, as the lab does


def extract_song_snippets(text: str) -> list[str]:
    """The lab's own splitting (`mitdeeplearning.lab1.extract_song_snippet`): 817 songs, a few of them twice."""
    return [match[2] for match in _SNIPPET.finditer(text)]


def load_text(cache: Path = CACHE) -> str:
    """The tunebook's text, from the cache or else from the package registry.

    Raises:
        CorpusError: it is not there and cannot be downloaded, or what came is not the file that it should be.
    """
    path = cache / "irish.abc"
    if not path.exists() or _sha256(path.read_bytes()) != TUNEBOOK_SHA256:
        content = _download()
        cache.mkdir(parents=True, exist_ok=True)
        durable.write(path, content)
    return path.read_text("utf-8")


def _download() -> bytes:
    """irish.abc out of the source package.

    pip builds a package's metadata even where it only downloads it; this one's build needs a setuptools from before
    pkg_resources was dropped, and a build folder of its own to have it in, which Debian 12's pip must be asked for.
    """
    with tempfile.TemporaryDirectory(prefix="lilt-corpus-") as name:
        folder = Path(name)
        constraint = folder / "constraint.txt"
        constraint.write_text("setuptools<81\n")
        argv = [*_pip(), "download", "--quiet", "--no-deps", "--use-pep517", "--no-binary", ":all:"]
        argv += ["--dest", name, REQUIREMENT]
        environment = os.environ | {"PIP_CONSTRAINT": str(constraint), "PIP_BUILD_CONSTRAINT": str(constraint)}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        packages = list(folder.glob("*.tar.gz"))
        if done.returncode or len(packages) != 1:
            last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
            raise CorpusError(f"{REQUIREMENT}: pip could not download the lab's tunebook: {last}")
        return read_package(packages[0])


def read_package(package: Path) -> bytes:
    """irish.abc's bytes out of a downloaded source package.

    Raises:
        CorpusError: the package is not the one that this code knows.
    """
    digest = _sha256(package.read_bytes())
    if digest != PACKAGE_SHA256:
        raise CorpusError(f"{package.name}: SHA-256 {digest} is not the expected {PACKAGE_SHA256}")
    with tarfile.open(package) as archive:
        member = archive.extractfile(MEMBER)
        if member is None:
            raise CorpusError(f"{package.name}: {MEMBER} is not a file")
        return member.read()


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    pip = shutil.which("pip3") or shutil.which("pip")
    if pip is None:
        raise CorpusError(
            "the lab's tunebook is downloaded through pip, and there is none: install pip, or use --corpus"
        )
    return [pip]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
