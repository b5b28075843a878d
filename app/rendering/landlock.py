"""Confines this process with Landlock and seccomp, then becomes another program: `python confine.py SPEC PROGRAM …`.

For where bubblewrap cannot make its namespaces, such as an unprivileged container. It stands alone, as it runs under
`python -I -S`. Landlock: Documentation/userspace-api/landlock.rst; seccomp: seccomp(2) and <linux/seccomp.h>.
"""

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import struct
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

# Rights of access to files, in order of their bits, and the ABI that each came with.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_REG, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_NETWORK_RIGHTS = {4: 0b11}  # bind and connect TCP
_SCOPES = {6: 0b11}  # abstract sockets, signals
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15

# What no renderer needs, by x86-64 and AArch64 number; the last two are refused with ENOSYS so that libc falls back.
_REFUSED = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "sendto": (44, 206), "sendmsg": (46, 211), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kill": (62, 129), "tkill": (200, 130), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "io_uring_setup": (425, 425), "init_module": (175, 105), "finit_module": (313, 273),
    "kexec_load": (246, 104), "reboot": (169, 142), "swapon": (167, 224), "setrlimit": (160, 164),
    "open_by_handle_at": (304, 265), "memfd_create": (319, 279), "pidfd_open": (434, 434), "chmod": (90, -1),
    "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1),
    "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "utimensat": (280, 88),
}  # fmt: skip
_FORKING = {"fork": (57, -1), "vfork": (58, -1)}
_CLONE = (56, 220)
_CLONE3 = 435
_CLONE_THREAD = 0x00010000
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000


def seccomp_program(*, may_fork: bool) -> bytes:
    """A classic BPF program that refuses what no renderer needs, and new processes unless they are allowed.

    Raises:
        OSError: this processor's system calls are not known here.
    """
    machine = platform.machine()
    if machine not in _AUDIT_ARCH:
        raise OSError(errno.ENOTSUP, f"no system call numbers for {machine}")
    column = list(_AUDIT_ARCH).index(machine)
    refused = [numbers[column] for numbers in _REFUSED.values()]
    if not may_fork:
        refused += [numbers[column] for numbers in _FORKING.values()]
    load, jump_equal, jump_at_least, jump_any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    code = [
        (load, 0, 0, 4),  # the architecture
        (jump_equal, 1, 0, _AUDIT_ARCH[machine]),
        (answer, 0, 0, _KILL),
        (load, 0, 0, 0),  # the system call's number
        (jump_at_least, 0, 1, _X32_BIT),
        (answer, 0, 0, _KILL),
        (jump_equal, 0, 1, _CLONE3),
        (answer, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for number in refused:
        if number >= 0:
            code += [(jump_equal, 0, 1, number), (answer, 0, 0, _ERRNO | errno.EPERM)]
    if not may_fork:
        code += [
            (jump_equal, 0, 3, _CLONE[column]),
            (load, 0, 0, 16),  # its flags, lower half of the first argument
            (jump_any_bit, 1, 0, _CLONE_THREAD),
            (answer, 0, 0, _ERRNO | errno.EPERM),
        ]
    code.append((answer, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def landlock_abi() -> int:
    """The version of Landlock that the kernel offers; nought or below where there is none."""
    return int(_libc().syscall(_LANDLOCK_CREATE_RULESET, None, 0, _RULESET_VERSION))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _restrict_files(readable: list[str], writable: str) -> None:
    libc = _libc()
    abi = _check(landlock_abi(), "landlock")

    def of(rights: dict[int, int]) -> int:
        return sum(bits for since, bits in rights.items() if since <= abi)

    handled = of(_FILE_RIGHTS)
    attributes = struct.pack("QQQ", handled, of(_NETWORK_RIGHTS), of(_SCOPES))[
        : 8 if abi < 4 else 16 if abi < 6 else 24
    ]
    ruleset = _check(libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0), "landlock ruleset")
    rules = [(path, _EXECUTE | _READ_FILE | _READ_DIR) for path in readable]
    rules.append((writable, _READ_FILE | _READ_DIR | _WRITE_FILE | _REMOVE_FILE | _MAKE_REG | _TRUNCATE))
    rules.append(("/dev/null", _READ_FILE | _WRITE_FILE))
    rules += [(device, _READ_FILE) for device in ("/dev/urandom", "/dev/zero")]
    for path, rights in rules:
        try:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        granted = rights & handled & (~0 if os.path.isdir(path) else _ON_FILES)  # noqa: PTH112
        rule = struct.pack("=Qi", granted, file)
        _check(libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), f"landlock rule for {path}")
        os.close(file)
    _check(libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock")
    os.close(ruleset)


def _refuse_calls(program: bytes) -> None:
    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))

    filter_ = Filter(len(program) // 8, program)
    _check(_libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0), "seccomp")


def confine(spec: dict[str, Any]) -> None:
    """Give up, for good, all but what a job needs: `limits` by name, `readable` paths, a `writable` folder, `may_fork`.

    Raises:
        OSError: the kernel cannot.
    """
    for name, most in spec["limits"].items():
        resource.setrlimit(getattr(resource, name), tuple(most))
    _check(_libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "death with the parent")
    _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    _restrict_files(spec["readable"], spec["writable"])
    _refuse_calls(seccomp_program(may_fork=bool(spec["may_fork"])))


def main() -> None:
    """Confine this process, then become the program; exit status 125 where the kernel cannot or there is none."""
    try:
        confine(json.loads(sys.argv[1]))
        os.execve(sys.argv[2], sys.argv[2:], {})  # noqa: S606
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(125)


if __name__ == "__main__":
    main()
