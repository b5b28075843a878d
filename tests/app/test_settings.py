"""Invalid settings are refused, and the error says what is allowed."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import NOT_SETTINGS, Settings, SettingsError, load, variable
from tests.servers import ROOT, environment

NAMES = {variable(field) for field in Settings.model_fields}
AT_ONCE_S = 30


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is set, in a folder without `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("LILT"):
            monkeypatch.delenv(name)


def started(cwd: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run the service where it will not start."""
    return subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=cwd,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=AT_ONCE_S,
        check=False,
    )


def faults_of(**settings: str) -> tuple[str, ...]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        try:
            load()
        except SettingsError as error:
            return error.lines
    return ()


def letters_dropped(name: str) -> set[str]:
    return {name[:at] + name[at + 1 :] for at in range(len("LILT_"), len(name))}


def letters_swapped(name: str) -> set[str]:
    return {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len("LILT_"), len(name) - 1)}


def letters_doubled(name: str) -> set[str]:
    return {name[:at] + name[at] + name[at:] for at in range(len("LILT_"), len(name))}


def plurals(name: str) -> set[str]:
    """Each word with an s, or without."""
    words = name.split("_")
    other = [word.removesuffix("S") if word.endswith("S") and len(word) > 1 else word + "S" for word in words]
    return {"_".join([*words[:at], other[at], *words[at + 1 :]]) for at in range(1, len(words))}


def hyphens(name: str) -> set[str]:
    return {name.replace("_", "-"), "LILT_" + name.removeprefix("LILT_").replace("_", "-")}


def words_run_together(name: str) -> set[str]:
    return {"LILT_" + name.removeprefix("LILT_").replace("_", "")}


def lower_case(name: str) -> set[str]:
    return {typed.lower() for typed in letters_dropped(name)}


WAYS = [letters_dropped, letters_swapped, letters_doubled, plurals, hyphens, words_run_together, lower_case]


@pytest.mark.parametrize("field", Settings.model_fields)
@pytest.mark.parametrize("mistype", WAYS, ids=lambda way: way.__name__)
def test_a_misspelt_setting_is_refused_with_a_suggestion(field: str, mistype: Callable[[str], set[str]]) -> None:
    meant = variable(field)
    for typed in sorted(mistype(meant)):
        if typed.upper() not in NAMES:  # LILT_HOST and LILT_HOSTS are both settings
            (told,) = faults_of(**{typed: "1"})
            name, _, hint = told.partition(" is not a setting; did you mean ")
            suggested = hint.removesuffix("?").split(" or ")
            assert name == typed
            assert suggested == [meant] or (meant in suggested and set(suggested) == {"LILT_HOST", "LILT_HOSTS"})


def test_a_misspelt_key_file_setting_prevents_the_start(tmp_path: Path) -> None:
    ended = started(tmp_path, port="0", api_key_file="keys")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: LILT_API_KEY_FILE is not a setting; did you mean LILT_API_KEYS_FILE?\n"


def test_an_unknown_setting_is_refused_with_the_list_of_settings() -> None:
    (told,) = faults_of(LILT_SWORDFISH="1")
    assert told.startswith("LILT_SWORDFISH is not a setting; there are LILT_HOST, LILT_PORT, ")
    assert set(re.findall(r"LILT_\w+", told)) == NAMES | {"LILT_SWORDFISH"}


def test_what_tests_and_containers_are_told_keeps_nobody_from_starting() -> None:
    assert faults_of(**dict.fromkeys(NOT_SETTINGS, "1"), LILTING="1", PATH=os.environ["PATH"]) == ()


def test_every_name_in_the_repository_is_a_setting_or_known_to_be_none() -> None:
    listed = subprocess.run(["/usr/bin/git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no repository")
    of_tests = {"LILT_SECRET", "LILT_COMPLETE"}  # what a sandbox must not see; what a shell asks a command by
    wrong_ones = {"tests/app/test_settings.py", "CHANGELOG.md"}
    for file in listed.stdout.split("\0"):
        if file and file not in wrong_ones and (ROOT / file).is_file():
            found = re.findall(rb"LILT_[A-Z_]*[A-Z]", (ROOT / file).read_bytes())
            assert {name.decode() for name in found} <= NAMES | NOT_SETTINGS | of_tests, file


def test_every_setting_is_explained() -> None:
    rows = [line for line in (ROOT / "docs" / "deploy.md").read_text().splitlines() if line.startswith("| `LILT_")]
    assert {name for row in rows for name in re.findall(r"`(LILT_[A-Z_]+)`", row)} == NAMES


WRONG = [
    ("LILT_PORT", "eighty", "a whole number from 0 to 65,535"),
    ("LILT_PORT", "65536", "a whole number from 0 to 65,535"),
    ("LILT_PORT", "tcp://10.0.0.1:80", "a whole number from 0 to 65,535"),
    ("LILT_HOST", "", "an address of this machine"),
    ("LILT_HOST", "http://127.0.0.1", "without scheme, port or path"),
    ("LILT_HOST", "127.0.0.1:8000", "without scheme, port or path"),
    ("LILT_HOST", "127.0.0.256", "an address of this machine"),
    ("LILT_HOST", "tunes.example.org,other.example.org", "goes into LILT_HOSTS"),
    ("LILT_HOSTS", "https://tunes.example.org", "without scheme"),
    ("LILT_HOSTS", "tunes.example.org/lilt", "without scheme, port, path"),
    ("LILT_HOSTS", "tunes.example.org:8000", "without scheme, port"),
    ("LILT_HOSTS", "tunes..example.org", "not a name"),
    ("LILT_HOSTS", "tunes.example.org.", "not a name"),
    ("LILT_HOSTS", ".example.org", "not a name"),
    ("LILT_HOSTS", "*.", "not a name"),
    ("LILT_HOSTS", "*example.org", "not a name"),
    ("LILT_HOSTS", "-tunes.example.org", "not a name"),
    ("LILT_HOSTS", "tünes.example.org", "not a name"),
    ("LILT_HOSTS", "good.example.org, bad example.org", "'bad example.org' is not"),
    ("LILT_HOSTS", "[::1]", "brackets"),
    ("LILT_HOSTS", f"{'a' * 64}.org", "not a name"),
    ("LILT_CORS_ORIGINS", "example.org", "not an origin"),
    ("LILT_CORS_ORIGINS", "https://example.org/", "no slash at the end"),
    ("LILT_CORS_ORIGINS", "https://example.org/page", "no path"),
    ("LILT_CORS_ORIGINS", "https://example.org?a", "not an origin"),
    ("LILT_CORS_ORIGINS", "https://example.org:443", "unless that is the usual one"),
    ("LILT_CORS_ORIGINS", "https://example.org:99999", "not an origin"),
    ("LILT_CORS_ORIGINS", "https://example.org:", "not an origin"),
    ("LILT_CORS_ORIGINS", "https://me@example.org", "not an origin"),
    ("LILT_CORS_ORIGINS", "https://", "not an origin"),
    ("LILT_CORS_ORIGINS", "https://*.example.org", "not an origin"),
    ("LILT_CORS_ORIGINS", "ftp://example.org", "http or https"),
    ("LILT_CORS_ORIGINS", "null", "not an origin"),
    ("LILT_TRUSTED_PROXIES", "proxy", "not an address or a network"),
    ("LILT_TRUSTED_PROXIES", "10.0.0.1/8", "its network is 10.0.0.0/8"),
    ("LILT_TRUSTED_PROXIES", "10.0.0.0/33", "not an address or a network"),
    ("LILT_TRUSTED_PROXIES", "10.0.0.9-10.0.0.1", "not an address or a network"),
    ("LILT_API_KEYS_FILE", "", "it is empty"),
    ("LILT_MODEL_STORE", " ", "it is empty"),
    ("LILT_SOUNDFONT", "", "it is empty"),
    ("LILT_CACHE", "", "it is empty"),
    ("LILT_RATE_PER_MINUTE", "-1", "a whole number from 0 up"),
    ("LILT_QUOTA_PER_DAY", "1.5", "a whole number from 0 up"),
    ("LILT_CLIENT_TIMEOUT_S", "0", "a number above 0 to 604,800"),
    ("LILT_CLIENT_TIMEOUT_S", "nan", "a number above 0 to 604,800"),
    ("LILT_GENERATE_TIMEOUT_S", "inf", "a number above 0 to 604,800"),
    ("LILT_REFRESH_S", "0.0001", "a number from 0.01 to 604,800"),
    ("LILT_WORKER_TIMEOUT_S", "0.5", "a number from 2 to 604,800"),
    ("LILT_MAX_CONNECTIONS", "0", "a whole number from 1 up"),
    ("LILT_DECODER", "torch", "litert or keras"),
    ("LILT_DECODER_THREADS", "17", "a whole number from 1 to 16"),
    ("LILT_MAX_BATCH", "0", "a whole number from 1 to 64"),
    ("LILT_MAX_BATCH", "65", "a whole number from 1 to 64"),
    ("LILT_MAX_WAITING", "0", "a whole number from 1 up"),
    ("LILT_MAX_LENGTH", "", "a whole number from 1 up"),
    ("LILT_MAX_BODY_BYTES", "1023", "a whole number from 1,024 up"),
    ("LILT_MAX_CACHE_MB", "-1", "a whole number from 0 up"),
    ("LILT_MAX_RENDERS", "0", "a whole number from 1 up"),
    ("LILT_MAX_WAITING_RENDERS", "-1", "a whole number from 0 up"),
    ("LILT_MAX_RENDER_MINUTES", "0", "a number above 0 to 604,800"),
    ("LILT_LOG_FORMAT", "xml", "auto, json or text"),
    ("LILT_SANDBOX", "none", "auto, required, bubblewrap, landlock or limits"),
    ("LILT_RENDERERS", "yes", "auto or required"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), WRONG)
def test_an_invalid_value_is_refused_with_its_name_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    (told,) = faults_of(**{name: value})
    assert told.startswith(f"{name}={value!r}: ")
    assert allowed in told


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"LILT_MAX_WAITING": "16"}, "LILT_MAX_WAITING=16 is less than LILT_MAX_BATCH=64"),
        (
            {"LILT_QUOTA_PER_DAY": "50", "LILT_RATE_PER_MINUTE": "60"},
            "LILT_QUOTA_PER_DAY=50 is less than LILT_RATE_PER_MINUTE=60",
        ),
    ],
)
def test_two_settings_that_leave_nothing_between_them_are_refused(settings: dict[str, str], why: str) -> None:
    (told,) = faults_of(**settings)
    assert why in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LILT_HOST", "0.0.0.0"),  # noqa: S104
        ("LILT_HOST", "::"),
        ("LILT_HOST", "fe80::1%eth0"),
        ("LILT_HOST", "localhost"),
        ("LILT_HOSTS", "*"),
        ("LILT_HOSTS", "Tunes.Example.org, *.example.org, lilt_api, 10.0.0.7, ::1, xn--mller-kva.de"),
        ("LILT_HOSTS", ""),
        ("LILT_CORS_ORIGINS", "https://example.org, http://localhost:5000, http://[::1]:8080, *"),
        ("LILT_CORS_ORIGINS", "https://Example.org"),
        ("LILT_TRUSTED_PROXIES", "10.0.0.7, 172.16.0.0/12, fd00::/8"),
        ("LILT_QUOTA_PER_DAY", "50"),
        ("LILT_MAX_CACHE_MB", "0"),
    ],
)
def test_what_is_right_passes(name: str, value: str) -> None:
    assert faults_of(**{name: value}) == ()


def test_all_errors_are_reported_at_once_a_line_each(tmp_path: Path) -> None:
    ended = started(tmp_path, portt="1", max_batch="0", hosts="a..b")
    assert ended.returncode == 2
    assert [line.split("=")[0].split(" is")[0] for line in ended.stderr.splitlines()] == [
        "error: LILT_PORTT",
        "error: LILT_HOSTS",
        "error: LILT_MAX_BATCH",
    ]


def test_the_file_is_read_and_the_environment_beats_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        "# mine\nLILT_PORT=8100\nexport LILT_HOSTS='a.example.org, b.example.org'\nLILT_REPLICAS=2\n"
        "COMPOSE_PROJECT_NAME=lilt\nPORT=1\nlilt_max_batch=8\n"
    )
    monkeypatch.setenv("LILT_PORT", "8200")
    settings = load()
    assert (settings.port, settings.hosts, settings.max_batch) == (8200, ("a.example.org", "b.example.org"), 8)
    assert settings.model_fields_set == {"port", "hosts", "max_batch"}


def test_no_file_or_a_folder_of_its_name_is_as_nothing(tmp_path: Path) -> None:
    assert load() == Settings()
    (tmp_path / ".env").mkdir()
    assert load() == Settings()


def test_a_wrong_name_or_value_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LILT_API_KEY_FILE=keys\nLILT_MAX_BATCH=0\n")
    ended = started(tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: .env: LILT_API_KEY_FILE is not a setting; did you mean LILT_API_KEYS_FILE?\n"
        "error: LILT_MAX_BATCH='0': a whole number from 1 to 64 is allowed\n"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"LILT_PORT=8100\nLILT_API_KEYS_FILE 'keys\n", "line 2: it is not NAME=value"),
        (b"LILT_API_KEYS_FILE\n", "line 1: it is not NAME=value"),
        (b"LILT_CACHE=/caf\xe9\n", "it is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    ended = started(tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith(f"error: {tmp_path}/.env")
    assert why in ended.stderr


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LILT_PORT=8100\n")
    (tmp_path / ".env").chmod(0)
    less = "-dac_override,-dac_read_search"
    through = ("setpriv", f"--bounding-set={less}", f"--inh-caps={less}") if os.geteuid() == 0 else ()
    ended = subprocess.run(
        [*through, sys.executable, "-m", "app"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=AT_ONCE_S,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (2, f"error: {tmp_path}/.env cannot be read: Permission denied\n")


def test_bounds_of_the_service_are_shared_out_among_its_workers_and_each_has_one_at_least() -> None:
    share = Settings(workers=3, max_batch=64, max_waiting=256, max_renders=2, max_waiting_renders=0).of_one_worker()
    assert (share.max_batch, share.max_waiting, share.max_connections) == (22, 86, 334)
    assert (share.max_renders, share.max_waiting_renders) == (1, 0)


def test_workers_have_the_processors_shared_out_for_their_decoders_unless_it_is_set() -> None:
    assert Settings(workers=64).decoder_threads == 1
    assert Settings(workers=64, decoder_threads=2).decoder_threads == 2
