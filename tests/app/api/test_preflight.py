"""Start-up checks: how the service starts, and how it reports that it cannot."""

import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.api import api_keys
from app.rendering import sandbox, seccomp
from app.rendering.sandbox import Confinement
from model_store.manifest import Draft, FileRecord, Manifest
from model_store.store import Checkpoint, Store
from tests.checkpoints import publish
from tests.conftest import DEFAULT_STORE
from tests.servers import ROOT, environment, serving

AT_ONCE_S = 30


def start(
    *, program: tuple[str, ...] = ("-m", "app"), through: tuple[str, ...] = (), cwd: Path = ROOT, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run the service, expecting it to end by itself."""
    return subprocess.run(
        [*through, sys.executable, *program],
        cwd=cwd,
        env=environment(**{"port": "0"} | settings),
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
    make_the_format_newer: ("manifest.json", "newer than this Lilt reads (up to 2): upgrade Lilt"),
    make_the_format_older: ("manifest.json", "older than this Lilt reads (from 1): publish the model again"),
    seal_what_is_no_decoder: ("decoder.tflite", "not a decoder's graph"),
}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_a_corrupt_checkpoint_is_named_in_one_line(version: Path, spoil: Callable[[Path], None]) -> None:
    spoil(version)
    ended = start(model_store=str(version.parent.parent))
    file, reason = FAULTS[spoil]
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert file in line
    assert reason in line
    assert "Traceback" not in ended.stderr


def test_the_last_good_version_is_served_instead(tmp_path: Path, checkpoint: Checkpoint) -> None:
    store = Store(tmp_path / "store")
    for number, spoil in enumerate(FAULTS):
        publish(store, checkpoint, f"fault-{number}")
        spoil(publish(store, checkpoint, f"fault-{number}").folder)
    with serving(model_store=str(store.root)) as server, server.client() as client:
        assert [model["version"] for model in client.get("/readyz").json()["models"]] == [1] * len(FAULTS)
    for number, (file, _) in enumerate(FAULTS.values()):
        told = [line for line in server.log if f"fault-{number}/2/{file}" in line]
        assert len(told) == 1
        assert "serving" in told[0]
        assert "ERROR" in told[0]


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    ended = start(model_store=str(tmp_path))
    assert ended.returncode == 2
    assert "holds no checkpoint" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_of_other_things_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "postgresql" / "15").mkdir(parents=True)
    ended = start(model_store=str(tmp_path))
    assert ended.returncode == 2
    detail = "none of its folders, such as postgresql/15, has a manifest.json"
    assert ended.stderr.splitlines()[-1] == f"error: model store {tmp_path}: it holds no checkpoint: {detail}"


def test_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    ended = start(model_store=str(tmp_path / "nowhere"))
    assert (ended.returncode, ended.stderr) == (
        2,
        f"error: LILT_MODEL_STORE={tmp_path}/nowhere: there is no such folder\n",
    )


def test_a_setting_out_of_range_is_named() -> None:
    ended = start(max_batch="0")
    assert ended.returncode == 2
    assert "LILT_MAX_BATCH" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_sandbox_in_use_is_in_readyz_and_the_log() -> None:
    if sandbox.failure_reason(Confinement.LANDLOCK) is not None:
        pytest.skip("this kernel has no Landlock")
    with serving(sandbox="landlock") as server, server.client() as client:
        assert client.get("/readyz").json()["sandbox"] == "landlock"
        abc = "X:1\nM:4/4\nK:C\nCDEF GABc|\n"
        assert client.post("/render", json={"abc": abc, "format": "midi"}).status_code == 200
    assert any("renderers run under landlock" in line for line in server.log)


WITHOUT_SANDBOX = """
import runpy, sys
from app.rendering import sandbox
sandbox.failure_reason = lambda _: "it was not tried"
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


def test_a_required_sandbox_that_does_not_work_prevents_the_start(tmp_path: Path) -> None:
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
def test_without_seccomp_no_sandbox_is_said_to_work(tmp_path: Path) -> None:
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


def test_an_unwritable_cache_prevents_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = start(cache=str(tmp_path / "file"))
    assert ended.returncode == 2
    assert (
        ended.stderr == f"error: LILT_CACHE={tmp_path / 'file'}: that is no folder; it is made where it is not there\n"
    )


def test_a_cache_that_is_not_private_prevents_the_start(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    ended = start(cache=str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: LILT_CACHE={tmp_path}: others may look into it (mode 0755, and 0700 is allowed); name a folder that "
        f"is not there yet, such as {tmp_path}/lilt\n"
    )


def test_an_invalid_sound_font_prevents_the_start(tmp_path: Path) -> None:
    font = tmp_path / "font.sf2"
    font.write_bytes(b"RIFF, and nothing that follows")
    ended = start(soundfont=str(font))
    assert (ended.returncode, "LILT_SOUNDFONT" in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr


def test_a_renderer_that_does_not_work_prevents_the_start(tmp_path: Path) -> None:
    script = tmp_path / "broken_renderer.py"
    broken = "from app.rendering import external_tools\nexternal_tools.ABC2MIDI = '/usr/bin/false'\n"
    run = "import runpy\nsys.argv = ['app']\nrunpy.run_module('app', run_name='__main__')\n"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + broken + run)
    ended = start(program=(str(script),))
    assert ended.returncode == 2
    assert "abc2midi made no music" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_missing_renderers_are_a_warning_or_prevent_the_start_as_set(tmp_path: Path) -> None:
    nowhere, script = str(tmp_path / "nowhere"), tmp_path / "without_abc2midi.py"
    without = f"from app.rendering import external_tools\nexternal_tools.ABC2MIDI = {nowhere!r}\n"
    run = "import runpy\nsys.argv = ['app']\nrunpy.run_module('app', run_name='__main__')\n"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + without + run)
    ended = start(program=(str(script),), renderers="required")
    assert (ended.returncode, nowhere in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr
    with serving(program=(str(script),)) as server, server.client() as client:
        ready = client.get("/readyz").json()
        assert (ready["status"], ready["missing"]) == ("degraded", [nowhere])
    assert any(f"no synthesiser, for want of {nowhere}" in line for line in server.log)


def test_a_sound_font_that_is_named_must_be_there(tmp_path: Path) -> None:
    ended = start(soundfont=str(tmp_path / "nowhere.sf2"))
    assert ended.returncode == 2
    assert ended.stderr == (
        f"error: LILT_SOUNDFONT={tmp_path}/nowhere.sf2: there is no such file; an SF2 or SF3 file is allowed\n"
    )


def test_a_decoder_whose_library_is_missing_prevents_the_start(tmp_path: Path) -> None:
    script = tmp_path / "without_tensorflow.py"
    without = "import importlib.util as util\nfind = util.find_spec\n"
    without += "util.find_spec = lambda name, *rest: None if name == 'tensorflow' else find(name, *rest)\n"
    run = "import runpy\nsys.argv = ['app']\nrunpy.run_module('app', run_name='__main__')\n"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + without + run)
    ended = start(program=(str(script),), decoder="keras")
    assert (ended.returncode, ended.stderr) == (
        2,
        "error: LILT_DECODER=keras: TensorFlow is not installed here; `litert` needs none\n",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_port_that_is_taken_is_named_in_one_line(host: str) -> None:
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    with socket.socket(family) as taken:
        try:
            taken.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = start(host=host, port=port)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert (
        ended.stderr == f"error: LILT_PORT={port}: another program listens on this port of {host}; name another one\n"
    )


def test_of_two_services_started_on_one_port_one_serves_and_one_says_why_not(tmp_path: Path) -> None:
    script = tmp_path / "late.py"
    late = "from app.api import preflight\nfound = preflight.check_files\n"
    late += "def wait(settings):\n    print('bound', flush=True)\n    sys.stdin.read()\n    found(settings)\n"
    late += "preflight.check_files = wait\n"
    run = "import runpy\nsys.argv = ['app']\nrunpy.run_module('app', run_name='__main__')\n"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + late + run)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    second = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment(port=port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stdout
    assert second.stdout.readline() == "bound\n"
    with serving(port=port) as first, first.client() as client:
        _, said = second.communicate("", timeout=AT_ONCE_S)
        assert client.get("/healthz").status_code == 200
    assert second.returncode == 2
    assert [line for line in said.splitlines() if line.startswith("error: ")] == [
        f"error: LILT_PORT={port}: another program listens on this port of 127.0.0.1; name another one"
    ]
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("host", "why"), [("203.0.113.7", "no address of this machine"), ("nowhere.invalid", "no such name")]
)
def test_an_address_of_another_machine_is_named_in_one_line(host: str, why: str) -> None:
    ended = start(host=host)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith(f"error: LILT_HOST={host}: ")
    assert why in ended.stderr


def test_a_port_that_needs_a_privilege_is_named_in_one_line() -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("every user may listen on every port here")
    less = "-net_bind_service"
    through = () if os.geteuid() else ("setpriv", f"--bounding-set={less}", f"--inh-caps={less}")
    ended = start(port="80", through=through)
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: LILT_PORT=80: this user may not listen on it; one from 1,024 to 65,535 is allowed\n"
    )


def test_one_line_says_at_the_start_what_is_served_and_how(tmp_path: Path) -> None:
    key, line = api_keys.make("ann")
    (tmp_path / "keys").write_text(line)
    cache = str(tmp_path / "cache")
    with serving(cache=cache, rate_per_minute="60", log_format="text") as server:
        pass
    (told,) = [line for line in server.log if "running on" in line]
    for part in (
        f"Lilt 0.1.0 running on {server.url} (open to anybody; 60 units a minute; no quota; at most 100,000 characters",
        "; sandbox ",
        "; irish/",
        " by litert; FluidSynth with /usr/share/sounds/",
        f"; cache {cache} up to 256 MB)",
    ):
        assert part in told
    with serving(cache=cache, api_keys_file=str(tmp_path / "keys"), quota_per_day="900", log_format="json") as server:
        pass
    (told,) = [line for line in server.log if "running on" in line]
    members = json.loads(told)
    assert f"for holders of keys of {tmp_path}/keys; no rate limit; 900 units a day" in members["message"]
    assert (members["address"], members["quota_per_day"], members["cache"]) == (server.url, 900, cache)
    assert key not in told


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
