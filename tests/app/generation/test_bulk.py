"""Many tunes into one file, whole after any interruption."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.abc.tunebook import split_tunes
from tests.servers import ROOT, environment

TIMEOUT_S = 120
MANY = "500"  # tunes: some seconds of work


def bulk(out: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "app", "bulk", "--out", str(out), *options],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(run: "subprocess.Popen[str]") -> str:
    """Wait for a run, and return its last line."""
    out, err = run.communicate(timeout=TIMEOUT_S)
    assert run.returncode == 0, err
    return out.splitlines()[-1]


def wait_until_half_done(run: "subprocess.Popen[str]", out: Path) -> None:
    begun = out.read_text("utf-8").count("X:") if out.exists() else 0
    while not out.exists() or out.read_text("utf-8").count("X:") < begun + int(MANY) // 4:
        assert run.poll() is None, run.communicate()
        time.sleep(0.05)


def test_a_run_killed_at_any_time_ends_with_the_same_tunebook(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.abc", tmp_path / "broken.abc"
    finish(bulk(whole, "--count", MANY))
    for number in (signal.SIGKILL, signal.SIGINT):
        run = bulk(broken, "--count", MANY)
        wait_until_half_done(run, broken)
        run.send_signal(number)
        run.communicate(timeout=TIMEOUT_S)
    finish(bulk(broken, "--count", MANY))
    assert broken.read_bytes() == whole.read_bytes()


def test_a_tunebook_numbers_its_tunes_and_has_no_two_alike(tmp_path: Path) -> None:
    assert "40 tunes" in finish(bulk(tmp_path / "tunes.abc", "--count", "40"))
    tunes = split_tunes((tmp_path / "tunes.abc").read_text("utf-8"))
    assert [tune.abc.split("\n")[0] for tune in tunes] == [f"X:{number}" for number in range(1, 41)]
    assert all(tune.complete for tune in tunes)
    assert len({tune.abc.split("\n", 1)[1] for tune in tunes}) == 40


def test_tunes_all_of_whose_lines_begin_with_a_repeat_are_told_apart(tmp_path: Path) -> None:
    assert finish(bulk(tmp_path / "tunes.abc", "--count", "12", "--rhythm", "slip jig")).endswith("from 12 drawn")
    tunes = split_tunes((tmp_path / "tunes.abc").read_text("utf-8"))
    music = [[line for line in tune.abc.splitlines() if "|" in line] for tune in tunes]
    assert sum(all(line.startswith("|:") for line in lines) for lines in music) > 1


def test_json_lines_carry_what_repeats_a_tune_and_filters_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "tunes.jsonl"
    finish(bulk(out, "--count", "5", "--meter", "6/8"))
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(lines) == 5
    for line in lines:
        assert line["meter"] == "6/8"
        assert {"abc", "seed", "model"} <= line.keys()


def test_another_runs_file_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "tunes.abc"
    finish(bulk(out, "--count", "3"))
    written = out.read_bytes()
    other = bulk(out, "--count", "3", "--seed", "9")
    _, err = other.communicate(timeout=TIMEOUT_S)
    assert other.returncode == 2
    assert "name another file" in err
    assert out.read_bytes() == written
