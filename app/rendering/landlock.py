"""Confines this process, then becomes another program: `python landlock.py LIMIT=SOFT:HARD … -- PROGRAM …`.

Limits come first, then Landlock, then seccomp. For where bubblewrap cannot make its namespaces, such as an unprivileged
container. It stands alone, as it runs under `python -I -S`, and imports little, as it runs once for each program. See
Documentation/userspace-api/landlock.rst, and `app.rendering.seccomp` for the filter.
"""

import ctypes
import os
import resource
import struct
import sys

_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25
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


def landlock_abi() -> int:
    """The kernel's Landlock ABI version; 0 or below where there is none."""
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


def _restrict_calls(program: bytes) -> None:
    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))

    filter_ = Filter(len(program) // 8, program)
    _check(_libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0), "seccomp")


def confine(settings: list[str]) -> None:
    """Irrevocably restrict this process to what its job needs.

    Args:
        settings: `NAME=VALUE` each: a limit by its name in `resource`, `SOFT:HARD`; `readable`, a path, and `writable`,
            a folder, or no Landlock; `seccomp`, a filter in hexadecimal digits.

    Raises:
        OSError: the kernel cannot.
    """
    readable, writable, program = [], "", b""
    for setting in settings:
        name, _, value = setting.partition("=")
        if name == "readable":
            readable.append(value)
        elif name == "writable":
            writable = value
        elif name == "seccomp":
            program = bytes.fromhex(value)
        else:
            soft, hard = map(int, value.split(":"))
            resource.setrlimit(getattr(resource, name), (soft, hard))
    for number in (_SIGPIPE, _SIGXFSZ):  # which Python ignores, and a program that it becomes would
        _libc().signal(number, None)
    _check(_libc().prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "death with the parent")
    _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if writable:
        _restrict_files(readable, writable)
    _restrict_calls(program)


def main() -> None:
    """Confine this process, then become the program; exit status 125 where the kernel cannot or there is none."""
    end = sys.argv.index("--")
    program = sys.argv[end + 1 :]
    try:
        confine(sys.argv[1:end])
        os.execve(program[0], program, {})  # noqa: S606
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(125)


if __name__ == "__main__":
    main()
