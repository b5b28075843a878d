"""The set-up where it may not install what is missing: with a search path that holds little, and no right to more."""

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "deploy/setup.sh"
ALWAYS_THERE = ("cat", "cut", "dirname", "flock", "grep", "id", "mkdir", "sh", "sha256sum")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout's folder, whose `bin` is all there is of programs."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "deploy").mkdir()
    shutil.copy(SETUP, tmp_path / "deploy")
    for name in ALWAYS_THERE:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    (folder / "bin" / name).unlink(missing_ok=True)
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / "bin" / name).chmod(0o755)


def set_up(folder: Path, purpose: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "deploy/setup.sh", purpose],
        env={"PATH": str(folder / "bin"), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_user_who_may_not_install_gets_the_line_to_run(bare: Path) -> None:
    program(bare, "apt-get", "echo it must not be called; exit 1")
    program(bare, "id", "echo 1000")
    done = set_up(bare, "serve")
    assert done.returncode == 1
    assert "apt-get update && apt-get install --no-install-recommends -y python3 python3-venv" in done.stderr
    assert "abcmidi" in done.stderr
    assert "chromium" not in done.stderr
    assert "it must not be called" not in done.stdout + done.stderr


def test_where_there_is_no_apt_the_missing_packages_are_named(bare: Path) -> None:
    done = set_up(bare, "serve")
    assert done.returncode == 1
    assert "missing: python3 python3-venv" in done.stderr
    assert "no apt-get" in done.stderr


def test_a_failing_installation_shows_what_it_said_and_where_the_rest_is(bare: Path) -> None:
    program(bare, "apt-get", "echo Could not resolve the mirror; exit 100")
    program(bare, "id", "echo 0")
    program(bare, "env", 'shift; exec "$@"')
    for name in ("tail", "sed"):
        (bare / "bin" / name).symlink_to(f"/usr/bin/{name}")
    done = set_up(bare, "serve")
    assert done.returncode == 1
    assert "| Could not resolve the mirror" in done.stderr
    assert "apt-update.log" in done.stderr


def test_a_python_that_will_not_do_is_refused_by_name(bare: Path) -> None:
    program(bare, "python3.9", "exit 1")
    done = set_up(bare, "serve", PYTHON="python3.9")
    assert done.returncode == 1
    assert "PYTHON=python3.9 is not Python 3.11, 3.12 or 3.13" in done.stderr


def test_a_killed_installation_is_made_anew_and_a_finished_one_is_left_alone(bare: Path) -> None:
    for name in ("find", "rm", "rmdir", "basename", "ln", "cp", "chmod", "touch"):
        (bare / "bin" / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    for name in ("abc2midi", "timidity", "bwrap"):
        program(bare, name, "exit 0")
    (bare / "requirements").mkdir()
    (bare / "app/web/node_modules").mkdir(parents=True)
    for lock in ("serve", "training", "dev", "node"):
        (bare / f"requirements/{lock}.txt").write_text("")
    for lock in ("app/web/package.json", "app/web/package-lock.json"):
        (bare / lock).write_text("{}")
    interpreter = bare / "bin/python3.13"
    program(
        bare,
        "python3.13",
        f"""case "$*" in
          *_base_executable*) echo {interpreter} ;;
          --version) echo Python 3.13.1 ;;
          *venv*) mkdir -p .venv/bin; cp {interpreter} .venv/bin/python ;;
          *pip*) touch .venv/half; [ ! -e kill ] || kill -KILL $PPID ;;
        esac""",
    )
    (bare / "kill").touch()
    assert set_up(bare, "serve").returncode == -9
    assert (bare / ".venv/half").exists()

    (bare / "kill").unlink()
    (bare / ".venv/half").write_text("left by the one that was killed")
    again = set_up(bare, "serve")
    assert again.returncode == 0, again.stderr
    assert "making the virtual environment" in again.stderr
    assert (bare / ".venv/half").read_text() == ""
    assert set_up(bare, "serve").stderr == ""
    assert str(bare) in (bare / ".venv/bin/lilt").read_text()
    assert set_up(bare, "train").stderr == "installing Python packages: TensorFlow, for training\n"


def test_a_folder_of_somebody_elses_is_not_removed(bare: Path) -> None:
    for name in ("abc2midi", "timidity", "bwrap", "rmdir"):
        program(bare, name, "exit 1")
    program(bare, "python3.13", 'case "$*" in --version) echo Python 3.13.1 ;; *) echo python3.13 ;; esac')
    (bare / ".venv").mkdir()
    (bare / ".venv/mine").touch()
    done = set_up(bare, "serve")
    assert done.returncode == 1
    assert "left alone" in done.stderr
    assert (bare / ".venv/mine").exists()


def test_an_unknown_purpose_is_refused(bare: Path) -> None:
    assert "usage" in set_up(bare, "everything").stderr
