"""Faults that are really made, each against a real service of its own, and what came of them."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from model_store.manifest import Draft
from model_store.store import Store
from tests.checkpoints import publish
from tests.conftest import DEFAULT_STORE
from tests.servers import ROOT, serving

TUNE = "X:1\nM:4/4\nL:1/8\nK:C\n" + "CDEF GABc|" * 4 + "\n"
STREAM = {"Accept": "text/event-stream"}
PATIENCE_S = 60.0
FULL = "507 urn:lilt:problem:storage"


@dataclass
class Outcome:
    """What came of a fault; `faults` is empty where all that was promised held."""

    seen: str = ""
    lost: str = "nothing"
    healthy_s: float | None = None
    """from the fault to the first good answer; None where there was no time without"""
    faults: list[str] = field(default_factory=list)

    def expect(self, what: str, *, holds: bool) -> None:
        """Note a promise that was broken."""
        if not holds:
            self.faults.append(what)


def made(client: httpx.Client, number: int = 0, format_: str = "midi") -> httpx.Response:
    """A tune that nobody else has, rendered."""
    return client.post("/render", json={"abc": TUNE.replace("M:", f"T:Number {number}\nM:"), "format": format_})


def kind_of(answer: httpx.Response) -> str:
    """An answer's status, and its problem if it is one."""
    return str(answer.status_code) + (f" {answer.json()['type']}" if answer.status_code != 200 else "")


def until(holds: Callable[[], bool]) -> float:
    """Wait until something holds, and say for how long that was."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() < begun + PATIENCE_S
        time.sleep(0.005)
    return time.monotonic() - begun


def is_well(client: httpx.Client) -> bool:
    """Whether a tune is made and rendered."""
    try:
        return client.post("/generate", json={"length": 20}).status_code == 200 and made(client).status_code == 200
    except httpx.HTTPError:
        return False


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def descendants(process: int) -> list[tuple[int, str]]:
    """Every process that one has started, or those it has started, and their commands."""
    found, parents = [], {process}
    stats = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            stats.append((int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1]), command))
        except OSError:
            continue
    while new := [(pid, command) for pid, parent, command in stats if parent in parents and pid not in parents]:
        found += new
        parents |= {pid for pid, _ in new}
    return found


def runs(process: int) -> bool:
    """Whether a process runs; one that has ended stays listed until its parent, or who took its place, hears of it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def service_killed(folder: Path) -> Outcome:
    """kill -9 of the service while it streams one tune and renders another; then a start, as a supervisor does."""
    outcome, port, cache = Outcome(), free_port(), folder / "cache"
    temporary = folder / "tmp"
    temporary.mkdir()
    with serving(port=port, cache=str(cache), tmpdir=str(temporary)) as server, server.client() as client:
        kept = made(client, 1, "wav")
        errors: list[str] = []

        def render() -> None:
            try:
                made(client, 2, "pdf")
            except httpx.HTTPError as error:
                errors.append(type(error).__name__)

        rendering = threading.Thread(target=render)
        try:
            body = {"length": 50_000, "tunes": None}
            with client.stream("POST", "/generate", json=body, headers=STREAM) as stream:
                text = stream.iter_text()
                next(text)
                rendering.start()
                until(lambda: bool(list(cache.glob("unfinished-*"))))
                renderers = [pid for pid, _ in descendants(server.process.pid)]
                server.process.kill()
                "".join(text)
                outcome.faults.append("the stream ended as if it were whole")
        except httpx.HTTPError as error:
            errors.append(type(error).__name__)
        rendering.join()
        outcome.seen = f"its connection cut ({', '.join(sorted(set(errors)))}), no half answer taken for a whole one"
        outcome.lost = "the two requests that were running"
        outcome.expect("a client was told nothing", holds=len(errors) == 2)
    begun = time.monotonic()
    with serving(port=port, cache=str(cache), tmpdir=str(temporary)) as server, server.client() as client:
        until(lambda: is_well(client))
        outcome.healthy_s = time.monotonic() - begun
        outcome.expect("what was rendered before is lost", holds=made(client, 1, "wav").content == kept.content)
        until(lambda: not [*cache.glob("unfinished-*"), *temporary.glob("lilt-*")])
        running = [pid for pid in renderers if runs(pid)]
        outcome.expect("renderers of the dead service still run", holds=not running)
    return outcome


def renderer_killed(folder: Path) -> Outcome:
    """kill -9 of the engraver, as a system that is out of memory does it."""
    outcome = Outcome()
    with serving(tmpdir=str(folder)) as server, server.client() as client:
        answers: list[httpx.Response] = []
        waiting = threading.Thread(target=lambda: answers.append(made(client, 3, "pdf")))
        waiting.start()
        engraver: list[int] = []

        def found() -> bool:
            engraver[:] = [  # the program itself, not what is about to become or to begin it
                pid
                for pid, line in descendants(server.process.pid)
                if "engrave.py tune" in line and Path(line.split()[0]).name not in ("prlimit", "bwrap")
            ]
            return bool(engraver)

        until(found)
        os.kill(engraver[-1], signal.SIGKILL)
        begun = time.monotonic()
        waiting.join()
        outcome.seen = f"{answers[0].status_code} {answers[0].json().get('detail')!r}"
        outcome.lost = "that render; the client was told to try again"
        outcome.expect(
            "not 503 with Retry-After", holds=answers[0].status_code == 503 and "Retry-After" in answers[0].headers
        )
        until(lambda: made(client, 3, "pdf").status_code == 200)
        outcome.healthy_s = time.monotonic() - begun
        outcome.expect("files are left", holds=not list(folder.glob("lilt-*")))
    return outcome


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[bool]:
    """A folder on a file system of its own of so many bytes; False where that may not be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["/usr/bin/umount", "--lazy", str(folder)], check=True)


def disk_full(folder: Path) -> Outcome:
    """The cache's disk fills with what is not the service's, and is emptied again."""
    outcome = Outcome()
    cache = folder / "disk" / "cache"
    with small_disk(folder / "disk", "40m") as is_mounted:
        if not is_mounted:
            outcome.seen = "not tried: a small file system may not be mounted here"
            return outcome
        with serving(cache=str(cache), max_cache_mb="16") as server, server.client() as client:
            ballast = folder / "disk" / "ballast"
            free = shutil.disk_usage(folder / "disk").free
            ballast.write_bytes(b"\0" * (free - 20_000))
            answers: Counter[str] = Counter()
            for number, format_ in enumerate(("flac", "ogg", "mp3", "wav", "flac")):
                try:
                    answers[kind_of(made(client, 10 + number, format_))] += 1
                except httpx.RemoteProtocolError:
                    answers["cut"] += 1
            for pages in range(1, 5):  # of the disk: enough to start a program, and too few for what it makes
                ballast.unlink()
                free = shutil.disk_usage(folder / "disk").free
                ballast.write_bytes(b"\0" * (free - pages * resource.getpagesize()))
                kind = kind_of(made(client, 30 + pages, "midi"))
                outcome.expect(f"with {pages} pages left, {kind}", holds=kind in ("200", FULL))
            outcome.seen = ", ".join(f"{count} × {answer}" for answer, count in sorted(answers.items()))
            outcome.lost = "renders while it was full; tunes were made all the time"
            outcome.expect("an answer that is not 507, nor cut", holds=set(answers) <= {FULL, "cut"})
            outcome.expect("tunes are not made", holds=client.post("/generate", json={"length": 20}).status_code == 200)
            ballast.unlink()
            begun = time.monotonic()
            until(lambda: made(client, 20, "wav").status_code == 200)
            outcome.healthy_s = time.monotonic() - begun
            whole = [made(client, 10 + number, format_) for number, format_ in enumerate(("flac", "ogg", "mp3", "wav"))]
            outcome.expect("half a file was kept", holds=all(len(answer.content) > 30_000 for answer in whole))
            until(lambda: not list(cache.glob("unfinished-*")))  # the last is renamed once its reader has it all
    return outcome


CLOCK = """
import runpy, sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
offset, real = Path({offset!r}), time.time
time.time = lambda: real() + float(offset.read_text())
time.time_ns = lambda: int(time.time() * 1e9)
sys.argv = ["app"]
runpy.run_module("app", run_name="__main__")
"""


def clock_jumps(folder: Path) -> Outcome:
    """The wall clock of the process goes ten years back and forth while it streams, renders and counts units."""
    outcome, offset, script = Outcome(), folder / "offset", folder / "jumping.py"
    offset.write_text("0")
    script.write_text(CLOCK.format(root=str(ROOT), offset=str(offset)))
    years = 10 * 365 * 86_400
    with serving(program=(str(script),), rate_per_minute="1000") as server, server.client() as client:
        seen = Counter[int]()
        body = {"length": 30_000, "tunes": None}
        with client.stream("POST", "/generate", json=body, headers=STREAM) as stream:
            text = stream.iter_text()
            first = next(text)
            for number, jump in enumerate((years, -years, 1, -1, 0)):
                (folder / "next").write_text(str(jump))
                (folder / "next").replace(offset)  # at once: the process reads it at any time
                answers = [client.post("/generate", json={"length": 20}), made(client, 30 + number, "wav")]
                seen.update(answer.status_code for answer in answers)
                left = answers[0].headers["RateLimit"]
                outcome.expect("the allowance jumped", holds=int(left.partition("r=")[2].partition(";")[0]) > 900)
            outcome.expect("the stream was cut", holds="event: done" in first + "".join(text))
        outcome.seen = ", ".join(f"{count} × {status}" for status, count in seen.items()) + ", and a whole stream"
        outcome.expect("an answer was not 200", holds=set(seen) == {200})
    return outcome


def model_arrives_in_halves(folder: Path) -> Outcome:
    """A version is copied into the store file by file, another is no model at all, a third is spoilt: while serving."""
    outcome, store = Outcome(), Store(folder / "store")
    default = Store(DEFAULT_STORE).load(Store(DEFAULT_STORE).names()[0])
    publish(store, default, "one")
    elsewhere = Store(folder / "elsewhere")
    publish(elsewhere, default, "one")
    whole = publish(elsewhere, default, "one").folder
    pointer = store.root / "one" / "current"
    with serving(model_store=str(store.root), refresh_s="0.05") as server, server.client() as client:
        versions = []

        def served() -> int:
            answer = client.post("/generate", json={"length": 5})
            versions.append(answer.json()["model"]["version"] if answer.status_code == 200 else -1)
            return int(versions[-1])

        pointer.unlink()  # then the newest is in use, as where versions are copied by hand
        target = store.root / "one" / "2"
        target.mkdir()
        complaints = 0
        for file in sorted(whole.iterdir()):
            content = file.read_bytes()
            for part in (content[: len(content) // 2], content):
                (target / file.name).write_bytes(part)
                served()
                client.get("/readyz")
        begun = time.monotonic()
        until(lambda: served() == 2)
        outcome.healthy_s = time.monotonic() - begun
        (store.root / "one" / "3").mkdir()
        until(lambda: any("one/3" in line and "still serving" in line for line in server.log))
        (store.root / "one" / "3" / "manifest.json").write_text("{")
        until(lambda: any("one/3" in line and "not JSON" in line for line in server.log))
        for _ in range(20):
            served()
        shutil.rmtree(store.root / "one" / "3")
        garbage = {"decoder.tflite": b"no graph" * 1000, "README.md": b"-"}
        draft = Draft(**{name: getattr(default.manifest, name) for name in Draft.model_fields} | {"name": "one"})
        store.publish(draft, default.weights(), garbage)
        until(lambda: any("not a decoder" in line for line in server.log))
        outcome.expect("what is no decoder was served", holds=served() == 2)
        publish(store, default, "one")
        until(lambda: served() == 4)
        complaints = sum("still serving" in line for line in server.log)
        outcome.expect("a request failed", holds=-1 not in versions)
        outcome.expect("versions went back and forth", holds=versions == sorted(versions))
        outcome.expect("the log is full of it", holds=complaints < 40)
        outcome.seen = f"{len(versions)} × 200, version 1, then 2, then 4; {complaints} lines in the log"
    return outcome


def silent_connections(folder: Path, most: int = 10_000) -> Outcome:
    """Connections that never speak, as many as this process may open, up to ten thousand."""
    outcome = Outcome()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(most, hard - 500)
    with serving(tmpdir=str(folder)) as server, server.client() as client, ExitStack() as stack:
        url = httpx.URL(server.url)
        slowest_s, statuses = 0.0, Counter[str]()
        for number in range(count):
            connection = stack.enter_context(socket.socket())
            connection.connect((url.host, url.port))
            if not number % (count // 20):
                begun = time.monotonic()
                try:
                    with server.client() as honest:
                        statuses[str(honest.post("/generate", json={"length": 50}).status_code)] += 1
                except httpx.HTTPError as error:
                    statuses[type(error).__name__] += 1
                slowest_s = max(slowest_s, time.monotonic() - begun)
        until(lambda: len(list(Path(f"/proc/{server.process.pid}/fd").iterdir())) < 1100)
        files = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
        outcome.seen = (
            f"{count:,} open; beside them {', '.join(f'{n} × {s}' for s, n in statuses.items())}, "
            f"slowest {slowest_s:.2f} s; {files:,} files open in the service"
        )
        outcome.lost = "the silent connections past 1,000, the longest idle first"
        outcome.expect("an honest client was turned away", holds=set(statuses) == {"200"})
        outcome.expect("not well", holds=is_well(client))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return outcome


def a_byte_a_second(folder: Path, clients: int = 200) -> Outcome:
    """Many clients that send their request a byte a second (ten, so as not to wait for ever), head or body."""
    outcome = Outcome()
    head = (
        b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n"
    )
    with serving(tmpdir=str(folder), client_timeout_s="2") as server, server.client() as client, ExitStack() as stack:
        url = httpx.URL(server.url)
        connections = []
        for number in range(clients):
            connection = stack.enter_context(socket.create_connection((url.host, url.port)))
            connection.sendall(head if number % 2 else head[:20])
            connections.append(connection)
        answers, statuses, slowest_s = Counter[str](), Counter[int](), 0.0
        begun = time.monotonic()
        while connections and time.monotonic() < begun + PATIENCE_S:
            for connection in list(connections):
                try:
                    connection.send(b" ")
                    connection.setblocking(False)
                    said = connection.recv(100)
                    answers[said[9:12].decode() or "closed"] += 1
                    connections.remove(connection)
                except BlockingIOError:
                    continue
                except OSError:
                    answers["closed"] += 1
                    connections.remove(connection)
            asked = time.monotonic()
            statuses[client.post("/generate", json={"length": 50}).status_code] += 1
            slowest_s = max(slowest_s, time.monotonic() - asked)
            time.sleep(0.1)
        outcome.seen = (
            ", ".join(f"{count} × {answer}" for answer, count in sorted(answers.items()))
            + f"; beside them {statuses[200]} × 200, slowest {slowest_s:.2f} s"
        )
        outcome.lost = "the slow requests"
        outcome.expect("a slow client was kept", holds=not connections)
        outcome.expect("an honest client was turned away", holds=set(statuses) == {200})
    return outcome


def terminated_under_load(folder: Path, clients: int = 24) -> Outcome:
    """SIGTERM while clients ask as fast as they can, each on connections of its own."""
    outcome = Outcome()
    ends: Counter[str] = Counter()
    lock = threading.Lock()
    with serving(tmpdir=str(folder)) as server:
        stop = threading.Event()

        def ask(number: int) -> None:
            while not stop.is_set():
                try:
                    with server.client() as client:
                        if number % 4 == 3:
                            answer = made(client, 100 + number, "midi")
                            end = str(answer.status_code)
                        elif number % 4 == 2:
                            answer = client.post("/generate", json={"length": 500, "tunes": None}, headers=STREAM)
                            end = "200" if "event: done" in answer.text else "half a stream"
                        else:
                            answer = client.post("/generate", json={"length": 2000, "tunes": None})
                            end = str(answer.status_code)
                except httpx.ConnectError:
                    end = "refused"
                except httpx.HTTPError as error:
                    end = type(error).__name__
                with lock:
                    ends[end] += 1
                if end == "refused":
                    return

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        until(lambda: ends["200"] > 2 * clients)
        begun = time.monotonic()
        server.process.terminate()
        code = server.process.wait(PATIENCE_S)
        stopped_s = time.monotonic() - begun
        stop.set()
        for thread in threads:
            thread.join()
    accepted = sum(count for end, count in ends.items() if end != "refused")
    answered = f"{ends['200']} of {accepted} accepted requests answered whole, {ends['refused']} refused"
    outcome.seen = f"{answered}; over in {stopped_s:.1f} s"
    broken = {end: count for end, count in ends.items() if end not in ("200", "refused")}
    outcome.lost = json.dumps(broken) if broken else "nothing that was accepted"
    outcome.expect(f"accepted and not answered: {broken}", holds=not broken)
    outcome.expect(f"exit status {code}", holds=code == -signal.SIGTERM)
    return outcome


@contextmanager
def little_memory(process: int, max_bytes: int) -> Iterator[bool]:
    """A process held to so much memory, page cache and children included; False where that may not be done."""
    roots = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")]
    group = next((root for root in roots if (root / "cgroup.procs").exists()), roots[0]) / f"lilt-faults-{process}"
    limit = "memory.limit_in_bytes" if group.parent.name == "memory" else "memory.max"
    try:
        group.mkdir()
        (group / limit).write_text(str(max_bytes))
        (group / "cgroup.procs").write_text(str(process))
    except OSError:
        yield False
    else:
        yield True
    finally:
        with suppress(OSError):
            (group.parent / "cgroup.procs").write_text(str(process))
        with suppress(OSError):
            group.rmdir()


def out_of_memory(folder: Path) -> Outcome:
    """350 MB for the service and all its renderers, and forty clients at once."""
    outcome = Outcome()
    with (
        serving(tmpdir=str(folder)) as server,
        server.client() as client,
        little_memory(server.process.pid, 350 * 1024 * 1024) as is_held,
    ):
        if not is_held:
            outcome.seen = "not tried: a process's memory may not be bounded here"
            return outcome
        ends: Counter[str] = Counter()
        lock = threading.Lock()

        def ask(number: int) -> None:
            try:
                with server.client() as own:
                    if number % 2:
                        abc = TUNE.replace("M:", f"T:{number}\nM:")
                        format_ = ("flac", "pdf", "wav")[number % 3]
                        end = str(own.post("/render", json={"abc": abc, "format": format_, "repeats": 8}).status_code)
                    else:
                        end = str(own.post("/generate", json={"length": 3000, "tunes": None}).status_code)
            except httpx.HTTPError as error:
                end = type(error).__name__
            with lock:
                ends[end] += 1

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outcome.seen = ", ".join(f"{count} × {end}" for end, count in sorted(ends.items()))
        outcome.expect("an answer that is neither 200 nor 503", holds=set(ends) <= {"200", "503"})
        outcome.expect("the service died", holds=server.process.poll() is None and is_well(client))
    return outcome


FAULTS: dict[str, Callable[[Path], Outcome]] = {
    "kill -9 of the service": service_killed,
    "kill -9 of a renderer": renderer_killed,
    "disk full": disk_full,
    "clock ±10 years": clock_jumps,
    "memory limit": out_of_memory,
    "a model in halves": model_arrives_in_halves,
    "silent connections": silent_connections,
    "a byte a second": a_byte_a_second,
    "SIGTERM under load": terminated_under_load,
}


def tried(name: str) -> Outcome:
    """Make a fault in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        return FAULTS[name](Path(folder))
