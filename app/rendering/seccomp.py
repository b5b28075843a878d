"""The seccomp filter of the sandbox: an allow-list of system calls, compiled to classic BPF.

The list is what abc2midi, timidity and the engraver were seen to call (strace, on Debian 12 and 13) on 2,992 tunes and
some of their MIDI files and scores, and what libc may call instead on another processor or clock. Each call is
harmless to other processes: none names one, none opens a socket, none makes a process or a thread.

What is not listed answers ENOSYS, which libc takes for an old kernel and falls back from (clone3, faccessat2, statx).
A listed call with arguments that are not listed answers EPERM. Calls in another architecture's numbers, which only an
attack makes, end the program. seccomp(2), <linux/seccomp.h>, <linux/filter.h>; numbers from <asm/unistd.h>.
"""

import ctypes
import errno
import os
import platform
import struct
from functools import cache

ALLOWED = {
    "every program: to be loaded, to have memory, to end": {
        "execve": (59, 221), "brk": (12, 214), "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216),
        "mprotect": (10, 226), "arch_prctl": (158, -1), "set_tid_address": (218, 96), "set_robust_list": (273, 99),
        "rseq": (334, 293), "futex": (202, 98), "getrandom": (318, 278), "exit": (60, 93), "exit_group": (231, 94),
    },
    "every program: files, held by Landlock or bubblewrap": {
        "openat": (257, 56), "open": (2, -1), "close": (3, 57), "read": (0, 63), "pread64": (17, 67), "write": (1, 64),
        "writev": (20, 66), "lseek": (8, 62), "fstat": (5, 80), "newfstatat": (262, 79), "access": (21, -1),
        "faccessat": (269, 48),
    },
    "the clock, where the kernel does not lend it without a call; timidity sleeps at its end": {
        "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, -1),
        "clock_nanosleep": (230, 115), "restart_syscall": (219, 128),
    },
    "timidity and Python: handlers of their own signals": {
        "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    },
    "the engraver: Python finds its modules, and its libraries by way of files that it deletes": {
        "readlink": (89, -1), "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17), "unlink": (87, -1),
        "unlinkat": (263, 35), "pipe2": (293, 59), "epoll_create1": (291, 20), "uname": (63, 160), "sysinfo": (99, 179),
        "getpid": (39, 172), "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176),
        "getegid": (108, 177),
    },
    "the engraver: fontconfig reads its cache": {"fstatfs": (138, 44), "fadvise64": (221, 223)},
    "bubblewrap's first process, under the same filter: waits for the program": {"wait4": (61, 260)},
}  # fmt: skip
"""by purpose: each call with its numbers on x86-64 and AArch64; -1 where there is none"""

COMMANDS = {
    "ioctl": ((16, 29), {"TCGETS": 0x5401, "FIOCLEX": 0x5451}),  # whether a file is a terminal
    "fcntl": ((72, 25), {"F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_DUPFD_CLOEXEC": 1030}),
}
"""multiplexed calls with the allowed values of their second argument; F_SETOWN, say, could signal any process"""

PRLIMIT = (302, 261)
"""allowed where it reads the caller's own limits, as libc does at each start"""

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""the architectures whose numbers are known, in their order above; <linux/audit.h>"""

_X32_BIT = 0x40000000
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they lie in struct seccomp_data
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2

Instruction = tuple[int, int, int, int]
"""code, instructions to skip if true and if false, operand"""


@cache
def program(machine: str | None = None) -> bytes:
    """The filter as classic BPF, for this machine unless another is named.

    Raises:
        OSError: its system calls are not known here.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        raise OSError(errno.ENOTSUP, f"the system calls of {machine} are not known here")
    column = list(MACHINES).index(machine)
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, MACHINES[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL_PROCESS),
    ]
    for calls in ALLOWED.values():
        for numbers in calls.values():
            if numbers[column] >= 0:
                code += _if_equal(numbers[column], [(_RETURN, 0, 0, _ALLOW)])
    for numbers, commands in COMMANDS.values():
        code += _if_equal(numbers[column], _one_of(1, list(commands.values())))
    code += _if_equal(PRLIMIT[column], _reads_own_limits())
    code.append((_RETURN, 0, 0, _ERRNO | errno.ENOSYS))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def _if_equal(value: int, then: list[Instruction]) -> list[Instruction]:
    """Run `then` if the loaded word equals a value; `then` must return."""
    return [(_EQUAL, 0, len(then), value), *then]


def _one_of(argument: int, values: list[int]) -> list[Instruction]:
    """Allow an argument's lower half, which is all that the kernel reads of these, to have one of some values."""
    code: list[Instruction] = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument)]
    for value in values:
        code += _if_equal(value, [(_RETURN, 0, 0, _ALLOW)])
    return [*code, (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _reads_own_limits() -> list[Instruction]:
    """Allow prlimit64 of process 0, the caller, with no new limit: NULL in both halves of the third argument."""
    refused = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    code: list[Instruction] = []
    for offset in (_ARGUMENTS, _ARGUMENTS + 16, _ARGUMENTS + 20):
        code += [(_LOAD, 0, 0, offset), (_EQUAL, 1, 0, 0), refused]
    return [*code, (_RETURN, 0, 0, _ALLOW)]


@cache
def missing() -> str | None:
    """Why no filter can be installed here, if so: the processor, the kernel, or a filter that this process is under."""
    try:
        program()
    except OSError as error:
        return error.strerror
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, None, 0, 0)  # a kernel that would take one asks where it is
    if (number := ctypes.get_errno()) == errno.EFAULT:
        return None
    why = "the kernel has no filters" if number == errno.EINVAL else "filters may not be installed here"
    return f"{why} (prctl: {os.strerror(number)})"
