"""How the service starts, and what it says when it cannot."""

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.rendering import sandbox, seccomp
from app.rendering.sandbox import Confinement
from model_store.manifest import Draft, FileRecord, Manifest
from model_store.store import Checkpoint, Store
from tests.checkpoints import publish
from tests.conftest import DEFAULT_STORE
from tests.servers import ROOT, environment, serving

AT_ONCE_S = 30


def start(*, program: tuple[str, ...] = ("-m", "app"), **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run the service, expecting it to end by itself."""
    return subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        env=environment(port="0", **settings),
        capture_output=True,
        text=True,
        timeout=AT_ONCE_S,
        check=False,
    )


@pytest.fixture
def version(tmp_path: Path, checkpoint: Checkpoint) -> Path:
    """The folder of the default model as the only version in a store of its own."""
    return publish(Store(tmp_path / "store"), checkpoint, "one").folder


def truncate_weights(version: Path) -> None:
    weights = version / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def flip_a_byte_of_the_decoder(version: Path) -> None:
    decoder = version / "decoder.tflite"
    content = bytearray(decoder.read_bytes())
    content[len(content) // 2] ^= 1
    decoder.write_bytes(content)


def drop_the_decoder(version: Path) -> None:
    (version / "decoder.tflite").unlink()


def alter_the_manifest(version: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    manifest["metrics"]["invented"] = 0.1
    (version / "manifest.json").write_text(json.dumps(manifest))


def break_the_manifest(version: Path) -> None:
    (version / "manifest.json").write_text("{")


def make_the_format_newer(version: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    (version / "manifest.json").write_text(json.dumps(manifest | {"format_version": 99}))


def make_the_format_older(version: Path) -> None:
    manifest = json.loads((version / "manifest.json").read_text())
    (version / "manifest.json").write_text(json.dumps(manifest | {"format_version": 0}))


def seal_what_is_no_decoder(version: Path) -> None:
    manifest = Manifest.parse((version / "manifest.json").read_bytes(), "")
    (version / "decoder.tflite").write_bytes(b"no graph")
    draft = Draft(**{field: getattr(manifest, field) for field in Draft.model_fields})
    files = {**manifest.files, "decoder.tflite": FileRecord.of(b"no graph")}
    sealed = Manifest.seal(draft, version=manifest.version, created=manifest.created, files=files)
    (version / "manifest.json").write_bytes(sealed.to_json())


FAULTS: dict[Callable[[Path], None], tuple[str, str]] = {
    truncate_weights: ("weights.safetensors", "1000 bytes"),
    flip_a_byte_of_the_decoder: ("decoder.tflite", "altered"),
    drop_the_decoder: ("decoder.tflite", "missing"),
    alter_the_manifest: ("manifest.json", "altered"),
    break_the_manifest: ("manifest.json", "not JSON"),
    make_the_format_newer: ("manifest.json", "newer than this Lilt reads (up to 1): upgrade Lilt"),
    make_the_format_older: ("manifest.json", "older than this Lilt reads (from 1): publish the model again"),
    seal_what_is_no_decoder: ("decoder.tflite", "not a decoder's graph"),
}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_a_spoilt_checkpoint_is_named_in_one_line(version: Path, spoil: Callable[[Path], None]) -> None:
    spoil(version)
    ended = start(model_store=str(version.parent.parent))
    file, reason = FAULTS[spoil]
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert file in line
    assert reason in line
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_the_last_good_version_is_served_instead(
    version: Path, checkpoint: Checkpoint, spoil: Callable[[Path], None]
) -> None:
    spoil(publish(Store(version.parent.parent), checkpoint, "one").folder)
    with serving(model_store=str(version.parent.parent)) as server, server.client() as client:
        assert client.get("/readyz").json()["models"][0]["version"] == 1
    assert any("serving" in line and "ERROR" in line for line in server.log)


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    ended = start(model_store=str(tmp_path))
    assert ended.returncode == 2
    assert "holds no checkpoint" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    ended = start(model_store=str(tmp_path / "nowhere"))
    assert (ended.returncode, "no such folder" in ended.stderr) == (2, True)


def test_a_setting_out_of_range_is_named() -> None:
    ended = start(max_batch="0")
    assert ended.returncode == 2
    assert "LILT_MAX_BATCH" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_sandbox_in_use_is_told_by_readyz_and_the_log() -> None:
    if sandbox.why_not(Confinement.LANDLOCK) is not None:
        pytest.skip("this kernel has no Landlock")
    with serving(sandbox="landlock") as server, server.client() as client:
        assert client.get("/readyz").json()["sandbox"] == "landlock"
        abc = "X:1\nM:4/4\nK:C\nCDEF GABc|\n"
        assert client.post("/render", json={"abc": abc, "format": "midi"}).status_code == 200
    assert any("renderers run under landlock" in line for line in server.log)


WITHOUT_SANDBOX = """
import runpy, sys
from app.rendering import sandbox
sandbox.why_not = lambda _: "it was not tried"
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


def test_a_required_sandbox_that_does_not_hold_is_no_start(tmp_path: Path) -> None:
    script = tmp_path / "without_sandbox.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + WITHOUT_SANDBOX)
    ended = start(program=(str(script),), sandbox="required")
    assert ended.returncode == 2
    assert "neither bubblewrap nor Landlock" in ended.stderr
    assert "Traceback" not in ended.stderr
    with serving(program=(str(script),)) as server, server.client() as client:
        assert client.get("/readyz").json()["sandbox"] == "limits"
    assert any("WARNING" in line and "(bubblewrap: it was not tried; landlock: it" in line for line in server.log)
    assert any("WARNING" in line and "renderers run under limits" in line for line in server.log)


FORBID_FILTERS = """
import ctypes, struct, sys
sys.path.insert(0, {root!r})
code = struct.pack(  # load the call's number; prctl? load its first argument; PR_SET_SECCOMP? EPERM; else allow
    "HBBI" * 6, *(32, 0, 0, 0), *(21, 0, 3, {prctl}), *(32, 0, 0, 16), *(21, 0, 1, 22), *(6, 0, 0, 0x50001),
    *(6, 0, 0, 0x7FFF0000)
)
class Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(Filter(6, code)), 0, 0) == 0
import runpy
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


@pytest.mark.skipif(seccomp.missing() is not None, reason=f"no filter here: {seccomp.missing()}")
def test_where_calls_cannot_be_filtered_no_sandbox_is_said_to_hold(tmp_path: Path) -> None:
    script = tmp_path / "under_a_filter.py"
    script.write_text(FORBID_FILTERS.format(root=str(ROOT), prctl={"x86_64": 157, "aarch64": 167}[platform.machine()]))
    why = "seccomp: filters may not be installed here (prctl: Operation not permitted)"
    for wanted, told in {
        "landlock": f"LILT_SANDBOX=landlock, and that does not work here ({why})",
        "required": f"LILT_SANDBOX=required, and neither bubblewrap nor Landlock works here (bubblewrap: {why}; land",
    }.items():
        ended = start(program=(str(script),), sandbox=wanted)
        assert ended.returncode == 2
        assert f"error: {told}" in ended.stderr
        assert "Traceback" not in ended.stderr
    with serving(program=(str(script),)) as server, server.client() as client:
        assert client.get("/readyz").json()["sandbox"] == "limits"
        abc = "X:1\nM:4/4\nK:C\nCDEF GABc|\n"
        assert client.post("/render", json={"abc": abc, "format": "midi"}).status_code == 200
    assert any("WARNING" in line and "limits alone" in line for line in server.log)


def test_a_cache_that_cannot_be_written_to_is_no_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = start(cache=str(tmp_path / "file"))
    assert ended.returncode == 2
    assert [line for line in ended.stderr.splitlines() if line.startswith("error: ")] == [
        f"error: LILT_CACHE: {tmp_path / 'file'} is not a folder that can be written to (File exists)"
    ]
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_no_sound_font_is_no_start(tmp_path: Path) -> None:
    font = tmp_path / "font.sf2"
    font.write_bytes(b"RIFF, and nothing that follows")
    ended = start(soundfont=str(font))
    assert (ended.returncode, "LILT_SOUNDFONT" in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr


def test_a_renderer_that_does_not_work_is_no_start(tmp_path: Path) -> None:
    script = tmp_path / "broken_renderer.py"
    broken = "from app.rendering import external_tools\nexternal_tools.ABC2MIDI = '/usr/bin/false'\n"
    run = "import runpy\nsys.argv = ['app']\nrunpy.run_module('app', run_name='__main__')\n"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + broken + run)
    ended = start(program=(str(script),))
    assert ended.returncode == 2
    assert "abc2midi made no music" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_is_missing_is_a_warning_or_no_start_as_is_wished(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere.sf2")
    ended = start(soundfont=nowhere, renderers="required")
    assert (ended.returncode, nowhere in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr
    with serving(soundfont=nowhere) as server, server.client() as client:
        ready = client.get("/readyz").json()
        assert (ready["status"], ready["missing"]) == ("degraded", [nowhere])


WITHOUT_TENSORFLOW = """
import builtins, runpy, sys
really_import = builtins.__import__
def refuse(name, *args, **kwargs):
    if name.split(".")[0] in ("tensorflow", "keras"):
        raise ImportError(name + " must not be imported")
    return really_import(name, *args, **kwargs)
builtins.__import__ = refuse
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


def test_a_request_is_served_where_importing_tensorflow_raises(tmp_path: Path) -> None:
    script = tmp_path / "without_tensorflow.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + WITHOUT_TENSORFLOW)
    with serving(program=(str(script),)) as server, server.client() as client:
        assert client.post("/generate", json={"length": 20}).status_code == 200
        abc = "X:1\nM:4/4\nK:C\nCDEF GABc|\n"
        assert client.post("/render", json={"abc": abc, "format": "midi"}).status_code == 200


def test_the_keras_decoder_serves_the_same_contract() -> None:
    pytest.importorskip("tensorflow")
    with serving(decoder="keras", model_store=str(DEFAULT_STORE)) as server, server.client() as client:
        assert client.get("/readyz").json()["decoder"] == "keras"
        first, second = (client.post("/generate", json={"length": 40, "seed": 1}).json() for _ in range(2))
        assert first["abc"] == second["abc"]
