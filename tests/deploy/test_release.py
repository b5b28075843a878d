"""What is given out: the same bytes from the same commit, and all in it that the service and training open."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.servers import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
FOR_DEVELOPERS = {"app/web/.npmrc", "app/web/biome.json", "app/web/package.json", "app/web/package-lock.json"}
IN_THE_WHEEL = """
from app.api import pages
from app.settings import Settings
from model_store.store import Store
print(pages.__file__, pages.missing_files(), Store(Settings().model_store).load("irish").manifest.name)
"""


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["/usr/bin/git", "ls-tree", "-r", "--name-only", "HEAD", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.splitlines())


def release(folder: Path, umask: int) -> Path:
    environment = os.environ | {"VENV": sys.prefix, "TZ": "Asia/Tokyo"}
    script = [str(ROOT / "deploy/release.sh"), "packages", str(folder)]
    subprocess.run(
        script, cwd="/", env=environment, umask=umask, check=True, capture_output=True, text=True, timeout=120
    )
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("a release is made of a commit, and there is no repository here")
    return release(tmp_path_factory.mktemp("dist"), 0o022)


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def test_the_same_commit_makes_the_same_bytes_whoever_builds_it(made: Path, tmp_path: Path) -> None:
    assert hashes(made).keys() == {f"lilt-{VERSION}.tar.gz", f"lilt-{VERSION}-py3-none-any.whl"}
    assert hashes(release(tmp_path, 0o077)) == hashes(made)


def test_the_wheel_has_every_file_of_the_three_packages_and_serves_the_page_and_the_model(
    made: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(made / f"lilt-{VERSION}-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path)  # noqa: S202 - our own
        names = set(wheel.namelist())
    assert tracked("app", "model_store", "training") - FOR_DEVELOPERS <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_WHEEL], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == (f"{tmp_path}/app/api/pages.py [] irish\n", "")


def test_the_source_archive_has_what_the_wheel_is_built_from(made: Path) -> None:
    with tarfile.open(made / f"lilt-{VERSION}.tar.gz") as archive:
        entries = archive.getmembers()
    names = {entry.name.partition("/")[2] for entry in entries}
    assert {"pyproject.toml", "README.md", "LICENSE"} <= names
    assert tracked("app", "model_store", "training") - FOR_DEVELOPERS <= names
    assert len({entry.mtime for entry in entries}) == 1
    assert {(entry.uid, entry.gid, entry.uname) for entry in entries} == {(0, 0, "")}
