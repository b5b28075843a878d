"""The seccomp filter: system calls tried inside against a real service, and read from the filter."""

import asyncio
import ctypes
import errno
import json
import os
import platform
import re
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.rendering import sandbox, seccomp
from app.rendering.sandbox import Completed, Confinement, Limits
from tests.servers import Server, serving

LIMITS = Limits(cpu_s=5, wall_s=20, address_space=512 * 1024 * 1024, file_size=1024 * 1024)
PYTHON = (Path(sys.prefix), Path(sys.base_prefix))
MACHINE = platform.machine()
COLUMN = list(seccomp.MACHINES).index(MACHINE) if MACHINE in seccomp.MACHINES else 0
KEY = 0x4C696C74  # of what System V's calls would make

# Arguments of the calls below: a number, what is in a buffer, or whose process it is.
SERVICE = "service"
Argument = int | bytes | str

# What is tried: the number on x86-64 and on AArch64, and arguments that would do harm or make something.
ATTEMPTS: dict[str, tuple[tuple[int, int], tuple[Argument, ...]]] = {
    "prlimit64: the service's open files": ((302, 261), (SERVICE, resource.RLIMIT_NOFILE, struct.pack("QQ", 7, 7), 0)),
    "prlimit64: read the service's limits": ((302, 261), (SERVICE, resource.RLIMIT_NOFILE, 0, bytes(16))),
    "prlimit64: its own limits": ((302, 261), (0, resource.RLIMIT_CORE, struct.pack("QQ", 0, 0), 0)),
    "setrlimit": ((160, 164), (resource.RLIMIT_CORE, struct.pack("QQ", 0, 0))),
    "setpriority": ((141, 140), (os.PRIO_PROCESS, SERVICE, 19)),
    "ioprio_set": ((251, 30), (1, SERVICE, 3 << 13)),
    "sched_setaffinity": ((203, 122), (SERVICE, 8, struct.pack("Q", 1 << min(os.sched_getaffinity(0))))),
    "sched_setscheduler": ((144, 119), (SERVICE, os.SCHED_IDLE, bytes(4))),
    "sched_setattr": ((314, 274), (SERVICE, struct.pack("IIQiIQQQ", 48, os.SCHED_IDLE, 0, 0, 0, 0, 0, 0), 0)),
    "process_madvise": ((440, 440), (0, 0, 0, 0, 0)),
    "shmget": ((29, 194), (KEY, 4096, 0o1600)),
    "msgget": ((68, 186), (KEY, 0o1600)),
    "semget": ((64, 190), (KEY, 1, 0o1600)),
    "mq_open": ((240, 180), (b"lilt\0", os.O_CREAT | os.O_RDWR, 0o600, 0)),
    "tgkill": ((234, 131), (SERVICE, SERVICE, signal.SIGKILL)),
    "tkill": ((200, 130), (SERVICE, signal.SIGKILL)),
    "kill": ((62, 129), (SERVICE, signal.SIGKILL)),
    "kill: everybody": ((62, 129), (-1, 0)),
    "rt_sigqueueinfo": ((129, 138), (SERVICE, signal.SIGKILL, struct.pack("iii", 0, 0, -1) + bytes(116))),
    "rt_tgsigqueueinfo": ((297, 240), (SERVICE, SERVICE, signal.SIGKILL, struct.pack("iii", 0, 0, -1) + bytes(116))),
    "fcntl: F_SETOWN": ((72, 25), (1, 8, SERVICE)),
    "fcntl: F_SETSIG": ((72, 25), (1, 10, signal.SIGKILL)),
    "ioctl: FIOSETOWN": ((16, 29), (1, 0x8901, struct.pack("i", 1))),
    "ioctl: TIOCSTI": ((16, 29), (0, 0x5412, b"x")),
    "pidfd_open": ((434, 434), (SERVICE, 0)),
    "pidfd_send_signal": ((424, 424), (0, signal.SIGKILL, 0, 0)),
    "pidfd_getfd": ((438, 438), (0, 0, 0)),
    "ptrace": ((101, 117), (0x4206, SERVICE, 0, 0)),
    "process_vm_readv": ((310, 270), (SERVICE, 0, 0, 0, 0, 0)),
    "process_vm_writev": ((311, 271), (SERVICE, 0, 0, 0, 0, 0)),
    "kcmp": ((312, 272), (SERVICE, SERVICE, 0, 0, 0)),
    "move_pages": ((279, 239), (SERVICE, 0, 0, 0, 0, 0)),
    "socket: TCP": ((41, 198), (2, 1, 0)),
    "socket: Unix": ((41, 198), (1, 1, 0)),
    "socketpair": ((53, 199), (1, 1, 0, bytes(8))),
    "clone": ((56, 220), (signal.SIGCHLD, 0, 0, 0, 0)),
    "clone: a thread": ((56, 220), (0x00010F00, 0, 0, 0, 0)),
    "clone3": ((435, 435), (struct.pack("8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0), 64)),
    "setsid": ((112, 157), ()),
    "prctl: outlive the service": ((157, 167), (1, 0, 0, 0, 0)),
    "mount": ((165, 40), (b"none\0", b"/\0", b"tmpfs\0", 0, 0)),
    "umount2": ((166, 39), (b"/usr\0", 2)),
    "pivot_root": ((155, 41), (b"/\0", b"/\0")),
    "chroot": ((161, 51), (b"/\0",)),
    "unshare": ((272, 97), (0x10000000,)),
    "setns": ((308, 268), (0, 0)),
    "keyctl": ((250, 219), (0, -3, 1)),
    "add_key": ((248, 217), (b"user\0", b"lilt\0", b"x", 1, -4)),
    "request_key": ((249, 218), (b"user\0", b"lilt\0", 0, -4)),
    "bpf": ((321, 280), (0, bytes(128), 128)),
    "perf_event_open": ((298, 241), (bytes(128), 0, -1, -1, 0)),
    "io_uring_setup": ((425, 425), (8, bytes(120))),
    "userfaultfd": ((323, 282), (1,)),
    "memfd_create": ((319, 279), (b"lilt\0", 0)),
    "inotify_init1": ((294, 26), (0,)),
    "fanotify_init": ((300, 262), (0, 0)),
    "open_by_handle_at": ((304, 265), (-100, bytes(16), 0)),
    "fchmodat": ((268, 53), (-100, b".\0", 0o777)),
    "fchownat": ((260, 54), (-100, b".\0", 0, 0, 0)),
    "seccomp": ((317, 277), (0, 0, 0)),
    "landlock_create_ruleset": ((444, 444), (0, 0, 1)),
    "timer_create": ((222, 107), (0, 0, bytes(8))),
    "madvise: a broken page": ((28, 233), (0, 4096, 100)),
    "reboot": ((169, 142), (0xFEE1DEAD - (1 << 32), 672274793, 0, 0)),
}  # fmt: skip

# What an ordinary program may do to another of the same user, so that a refusal is the sandbox's.
DONE_OUTSIDE = (
    *("prlimit64: the service's open files", "prlimit64: read the service's limits", "setpriority", "ioprio_set"),
    *("sched_setaffinity", "sched_setscheduler", "sched_setattr", "shmget", "msgget", "semget", "fcntl: F_SETOWN"),
    *("socket: TCP", "socket: Unix"),
)

UPROBES = (
    {335, 336} if MACHINE == "x86_64" else set()
)  # for the kernel's own trampolines, unfiltered; others get SIGILL

# Makes each call of a JSON object of names and [number, argument…], a string of hexadecimal digits being a buffer.
PROBE = """
import ctypes, errno, json, sys
libc = ctypes.CDLL(None, use_errno=True)
answers = {}
for name, call in json.loads(sys.argv[1]).items():
    numbers = [ctypes.create_string_buffer(bytes.fromhex(part)) if isinstance(part, str) else ctypes.c_long(part)
               for part in call]
    result = libc.syscall(*numbers)
    answers[name] = errno.errorcode[ctypes.get_errno()] if result == -1 else "done"
print(json.dumps(answers))
"""

pytestmark = pytest.mark.skipif(seccomp.missing() is not None, reason=f"no filter here: {seccomp.missing()}")
CONFINEMENTS = [
    pytest.param(
        confinement, marks=pytest.mark.skipif(bool(why := sandbox.failure_reason(confinement)), reason=str(why))
    )
    for confinement in Confinement
]


def probe(attempts: dict[str, tuple[tuple[int, int], tuple[Argument, ...]]], service: int) -> list[str]:
    """The program that makes these calls."""

    def written(argument: Argument) -> int | str:
        return service if argument == SERVICE else argument.hex() if isinstance(argument, bytes) else int(argument)

    calls = {name: [numbers[COLUMN], *map(written, rest)] for name, (numbers, rest) in attempts.items()}
    return [sys.executable, "-I", "-S", "-c", PROBE, json.dumps(calls)]


def run(folder: Path, argv: list[str], confinement: Confinement) -> Completed:
    return asyncio.run(sandbox.run(argv, folder, LIMITS, confinement, PYTHON))


def state(pid: int) -> tuple[object, ...]:
    """What others may change of a process."""
    limits = [resource.prlimit(pid, number) for number in range(16)]
    return limits, os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), os.sched_getscheduler(pid)


def left_behind() -> set[str]:
    """The objects of System V's calls that there are."""
    kinds = {name: Path(f"/proc/sysvipc/{name}").read_text().splitlines()[1:] for name in ("shm", "msg", "sem")}
    return {name for name, lines in kinds.items() for line in lines if line.split()[0] == str(KEY)}


def remove_left_behind() -> None:
    libc = ctypes.CDLL(None)
    for found, remove, arguments in (
        (libc.shmget(KEY, 0, 0), libc.shmctl, (0, None)),
        (libc.msgget(KEY, 0), libc.msgctl, (0, None)),
        (libc.semget(KEY, 0, 0), libc.semctl, (0, 0)),
    ):
        if found >= 0:
            remove(found, *arguments)


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    with serving(renderers="auto") as server:
        yield server


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_program_that_was_taken_over_cannot_harm_the_service(
    tmp_path: Path, service: Server, confinement: Confinement
) -> None:
    before = state(service.process.pid)
    completed = run(tmp_path, probe(ATTEMPTS, service.process.pid), confinement)
    assert completed.exit_code == 0, completed.output
    answers = json.loads(completed.output)
    assert answers.keys() == ATTEMPTS.keys()
    assert {name: answer for name, answer in answers.items() if answer not in ("ENOSYS", "EPERM")} == {}
    assert service.process.poll() is None
    assert state(service.process.pid) == before
    assert left_behind() == set()
    with service.client() as client:
        assert client.get("/healthz").status_code == 200


def test_outside_the_sandbox_the_same_calls_do_harm() -> None:
    victim = subprocess.Popen(["/usr/bin/sleep", "60"])
    try:
        before = state(victim.pid)
        for names in (DONE_OUTSIDE, ("tgkill",)):
            argv = probe({name: ATTEMPTS[name] for name in names}, victim.pid)
            ended = subprocess.run(argv, capture_output=True, check=True)
            assert json.loads(ended.stdout) == dict.fromkeys(names, "done")
            if names is DONE_OUTSIDE:
                limits, priority, _, scheduler = state(victim.pid)
                assert limits != before[0]
                assert priority != before[1]
                assert scheduler != before[3]
        assert victim.wait(10) == -signal.SIGKILL
        assert left_behind() == {"shm", "msg", "sem"}
    finally:
        victim.kill()
        victim.wait()
        remove_left_behind()


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_every_call_that_is_not_listed_does_not_exist_inside(tmp_path: Path, confinement: Confinement) -> None:
    listed = {numbers[COLUMN] for calls in seccomp.ALLOWED.values() for numbers in calls.values()}
    listed |= {numbers[COLUMN] for numbers, _ in seccomp.COMMANDS.values()} | {seccomp.PRLIMIT[COLUMN]}
    others = [number for number in range(1024) if number not in listed | UPROBES]
    attempts: dict[str, tuple[tuple[int, int], tuple[Argument, ...]]] = {str(n): ((n, n), (0,) * 6) for n in others}
    answers = json.loads(run(tmp_path, probe(attempts, 0), confinement).output)
    assert answers == dict.fromkeys(map(str, others), "ENOSYS")


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_calls_by_the_numbers_of_another_architecture_end_a_program(tmp_path: Path, confinement: Confinement) -> None:
    x32 = "import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39); print('went on')"
    i386 = (  # mov eax, 20 (getpid); int 0x80; ret
        "import ctypes, mmap; page = mmap.mmap(-1, 4096, prot=7); page.write(bytes.fromhex('b814000000cd80c3'));"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))(); print('went on')"
    )
    for script in (x32, i386) if MACHINE == "x86_64" else (x32,):
        completed = run(tmp_path, [sys.executable, "-I", "-S", "-c", script], confinement)
        # a kernel without 32-bit programs knows no such interrupt
        assert completed.signal == signal.SIGSYS or (script == i386 and completed.signal == signal.SIGSEGV)
        assert completed.output == b""


@pytest.mark.parametrize("confinement", CONFINEMENTS)
def test_a_program_that_aborts_is_ended_by_a_signal(tmp_path: Path, confinement: Confinement) -> None:
    """Not by SIGABRT, which a program may send to nobody: libc then runs into an instruction that is forbidden."""
    completed = run(tmp_path, [sys.executable, "-I", "-S", "-c", "import os; os.abort()"], confinement)
    assert completed.signal in (signal.SIGSEGV, signal.SIGTRAP)
    assert completed.outcome == "crashed"


# ------------------------------------------------------------------ the filter itself, for processors that are not here

ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSED, UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS


def answer(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the kernel would make of the filter: classic BPF over struct seccomp_data."""
    padded = [argument & (1 << 64) - 1 for argument in (*arguments, *(0,) * 6)[:6]]
    data = struct.pack("=iIQ6Q", number, architecture or seccomp.MACHINES[machine], 0, *padded)
    code = list(struct.iter_unpack("HBBI", seccomp.program(machine)))
    at, loaded = 0, 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        match operation:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", data, operand)
            case 0x15:
                at += if_true if loaded == operand else if_false
            case 0x35:
                at += if_true if loaded >= operand else if_false
            case 0x06:
                return int(operand)
            case _:
                raise AssertionError(operation)


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_allows_what_is_listed_and_nothing_else(machine: str) -> None:
    column = list(seccomp.MACHINES).index(machine)
    listed = {numbers[column] for calls in seccomp.ALLOWED.values() for numbers in calls.values()} - {-1}
    special = {numbers[column] for numbers, _ in seccomp.COMMANDS.values()} | {seccomp.PRLIMIT[column]}
    for number in range(1024):
        if number not in special:
            assert answer(machine, number) == (ALLOW if number in listed else UNKNOWN), number
    for numbers, commands in seccomp.COMMANDS.values():
        for command in (*range(2048), 0x5401, 0x5451, 0x5412, 0x5452, 0x8901, 0x8902):
            expected = ALLOW if command in commands.values() else REFUSED
            assert answer(machine, numbers[column], 1, command) == expected, command
    prlimit = seccomp.PRLIMIT[column]
    assert answer(machine, prlimit, 0, 3, 0, 0x7FFC_0000_0000) == ALLOW
    for pid, new in ((1, 0), (-1, 0), (0, 1), (0, 1 << 32), (0, 0x7FFC_0000_0000)):
        assert answer(machine, prlimit, pid, 3, new, 0) == REFUSED
    for other in (0xC000003E, 0x40000003, 0xC00000B7, 0x40000028):
        if other != seccomp.MACHINES[machine]:
            assert answer(machine, 0, architecture=other) == KILL
    assert answer(machine, 0x40000000) == answer(machine, -1) == KILL


HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_numbers_are_the_kernels(machine: str) -> None:
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    text = header.read_text()
    kernels = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    kernels |= {name: kernels.get(same, -1) for name, same in re.findall(r"#define __NR_(\w+)\s+__NR3264_(\w+)", text)}
    column = list(seccomp.MACHINES).index(machine)
    ours = {name: numbers for calls in seccomp.ALLOWED.values() for name, numbers in calls.items()}
    ours |= {name: numbers for name, (numbers, _) in seccomp.COMMANDS.items()} | {"prlimit64": seccomp.PRLIMIT}
    tried = {name.partition(":")[0]: numbers for name, (numbers, _) in ATTEMPTS.items()}
    for name, numbers in (*ours.items(), *tried.items()):
        assert numbers[column] == kernels.get(name, -1), name
