"""What is given out: the same bytes from the same commit, and all in it that the service and training open."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from app.version import VERSION
from tests.servers import ROOT

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
    (entry_points,) = tmp_path.glob("*.dist-info/entry_points.txt")
    assert entry_points.read_text() == "[console_scripts]\nlilt = app.cli.main:main\n"


def test_the_source_archive_has_what_the_wheel_is_built_from(made: Path) -> None:
    with tarfile.open(made / f"lilt-{VERSION}.tar.gz") as archive:
        entries = archive.getmembers()
    names = {entry.name.partition("/")[2] for entry in entries}
    assert {"pyproject.toml", "README.md", "LICENSE"} <= names
    assert tracked("app", "model_store", "training") - FOR_DEVELOPERS <= names
    assert len({entry.mtime for entry in entries}) == 1
    assert {(entry.uid, entry.gid, entry.uname) for entry in entries} == {(0, 0, "")}


@pytest.mark.parametrize("kind", ["--wheel", "--sdist"])
def test_without_the_pages_packages_or_a_model_nothing_is_built(kind: str, tmp_path: Path) -> None:
    tree = tmp_path / "lilt"
    ours = shutil.ignore_patterns("node_modules", "__pycache__")
    for folder in ("app", "model_store", "training"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ours)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tree)
    build = [sys.executable, "-m", "uv", "build", "--offline", "--no-build-isolation", "--python", sys.executable, kind]
    done = subprocess.run([*build, str(tree)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode != 0
    assert "error: app/web/node_modules/" in done.stdout + done.stderr
    assert "`make serve`" in done.stdout + done.stderr
    assert not list(tree.glob("dist/lilt*"))


def test_a_release_is_tagged_once_its_changelog_has_it(tmp_path: Path) -> None:
    for folder in ("app", "deploy"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "deploy/release.sh", tmp_path / "deploy")
    (tmp_path / "app/version.py").write_text('VERSION = "1.2.3"\n')
    who = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["/usr/bin/git", *arguments], cwd=tmp_path, env=os.environ | who, capture_output=True, text=True, check=True
        )
        return done.stdout

    def tag(changelog: str) -> str:
        (tmp_path / "CHANGELOG.md").write_text(changelog)
        git("add", "-A")
        git("commit", "-qm", "Change something", "--allow-empty")
        script = ["/bin/sh", "deploy/release.sh", "tag"]
        environment = os.environ | who | {"VENV": sys.prefix}
        return subprocess.run(
            script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init", "-q")
    assert tag("## [Unreleased]\n\n- More.\n") == "note: not tagged: CHANGELOG.md has no line '## [1.2.3] - DATE'"
    pending = "## [Unreleased]\n\n### Added\n\n- More.\n\n## [1.2.3] - 2026-01-02\n\n- All.\n"
    assert "has changes under Unreleased" in tag(pending)
    released = "## [Unreleased]\n\n## [1.2.3] - 2026-01-02\n\n- All.\n"
    assert tag(released) == "tagged v1.2.3"
    assert git("cat-file", "-t", "v1.2.3") == "tag\n"
    assert tag(released) == "note: not tagged: v1.2.3 is another commit already"


def test_the_changelog_has_the_form_that_tools_read() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    groups = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= groups
