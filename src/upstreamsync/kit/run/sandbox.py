"""Programs that are kept from the network and from files that are none of their business, by the kernel.

Linux restricts a thread and all that this thread starts: Landlock (files since 5.13, TCP since 6.7) and a
filter of system calls, neither of which needs a privilege. So a program is started by a thread that exists
for that alone, after it has given up what the program must not have; the rest of this process keeps its
rights. A program below Landlock can't look into other processes either: /proc/PID/environ of its parents is
closed to it. Where the kernel can't do that, or can do part of it, ``protection`` says so.

Sources: landlock(7), Documentation/userspace-api/landlock.rst and seccomp_filter.rst of the kernel.
"""

from __future__ import annotations

import functools
import os
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

_T = TypeVar("_T")

# -- numbers of the kernel's interface ---------------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_RULE_PATH_BENEATH, _VERSION_FLAG = 1, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ: Final = _READ_FILE | _READ_DIR
#: Of what a rule for a plain file may have; the rest is about folders.
_OF_A_FILE: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_TCP: Final = 1 << 0 | 1 << 1  # bind, connect
_SCOPES: Final = 1 << 0 | 1 << 1  # abstract sockets, signals

#: How many rights on files each version of Landlock knows: 2 adds links between folders, 3 truncation,
#: 5 device control.
_RIGHTS_ON_FILES: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}

#: machine → (its name to seccomp, the number of socket(2)).
_MACHINES: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_IO_URING_SETUP: Final = 425
_X32_BIT: Final = 0x40000000
_EACCES: Final = 13

#: What any program may read of the system: its libraries, time zones, and devices without memory.
_SYSTEM: Final = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/localtime", "/etc/ld.so.cache",
    "/sys/kernel/mm/transparent_hugepage", "/nix/store", "/gnu/store",
)  # fmt: skip
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What this machine's kernel can hold a program to."""

    files: bool
    tcp: bool
    sockets: bool
    landlock: int

    def __str__(self) -> str:
        kept = ["files and other processes"] if self.files else []
        kept += ["all sockets"] if self.sockets else ["TCP"] if self.tcp else []
        if not kept:
            return "the kernel keeps them from nothing; they have an empty home, and proxies to a dead port"
        kinds = ([f"Landlock {self.landlock}"] if self.files else []) + (["seccomp"] if self.sockets else [])
        return f"the kernel keeps them from {', '.join(kept)} ({', '.join(kinds)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What a program may do: read ``readable``, write below ``writable``, and reach nobody.

    ``program`` is the only one that may be started. With ``reads_all``, and where the program is a script,
    anything may be read and started; it is kept from the network and from writing elsewhere all the same.
    ``memory`` bounds what it may take, in bytes, where the system can do that (Linux).
    """

    program: Path
    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    reads_all: bool = False
    memory: int | None = None


def start(sandbox: Sandbox, popen: Callable[[], _T]) -> _T:
    """Call ``popen``, which starts the program, in a thread that is restricted as ``sandbox`` says.

    Raises what ``popen`` raises. Where the kernel refuses a restriction that it said it can do, the program
    is not started: OSError.
    """
    can = protection()
    if not can.files and not can.sockets:
        return popen()
    done: list[_T] = []
    failure: list[BaseException] = []

    def begin() -> None:
        try:
            _restrict(sandbox, can)
            done.append(popen())
        except BaseException as error:
            failure.append(error)

    # No thread pool: a restriction can't be taken back, and each program has folders of its own.
    thread = threading.Thread(target=begin, name="upstreamsync-start", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return done[0]


@functools.cache
def protection() -> Protection:
    """What the kernel can do, found out by asking it."""
    version = _landlock_version()
    return Protection(files=version >= 1, tcp=version >= 4, sockets=_has_seccomp(), landlock=max(version, 0))


@functools.cache
def _libc() -> Any:
    return _ctypes().CDLL(None, use_errno=True)


def _ctypes() -> Any:
    """Loaded when it is needed: a run that starts no engine has no use for it."""
    import ctypes

    return ctypes


def _landlock_version() -> int:
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return int(_libc().syscall(_CREATE_RULESET, None, _ctypes().c_size_t(0), _VERSION_FLAG))
    except (OSError, AttributeError):
        return 0


def _has_seccomp() -> bool:
    if not sys.platform.startswith("linux") or os.uname().machine not in _MACHINES:
        return False
    # Asked for with an empty filter the kernel says EFAULT, and EINVAL where it has no filters at all.
    _libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, None, 0, 0)
    return _ctypes().get_errno() in (14, _EACCES)


def _restrict(sandbox: Sandbox, can: Protection) -> None:
    """Restrict the calling thread, for good."""
    _call(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if can.files:
        _restrict_files(sandbox, can)
    if can.sockets:
        _restrict_sockets()


# -- files and TCP -----------------------------------------------------------------------------------


def _restrict_files(sandbox: Sandbox, can: Protection) -> None:
    every = (1 << _RIGHTS_ON_FILES[min(can.landlock, 5)]) - 1
    # A script reads, and starts, what it needs.
    interpreter = None if sandbox.reads_all else _interpreter(sandbox.program)
    handled = every if interpreter is not None else every & ~(_READ | _EXECUTE)
    attributes = struct.pack("=QQQ", handled, _TCP if can.tcp else 0, _SCOPES if can.landlock >= 6 else 0)[
        : 8 if can.landlock < 4 else 16 if can.landlock < 6 else 24
    ]
    ruleset = _call(_libc().syscall(_CREATE_RULESET, attributes, _ctypes().c_size_t(len(attributes)), 0))
    try:
        _allow(ruleset, sandbox.writable, handled & ~_EXECUTE)
        _allow(ruleset, map(Path, _DEVICES), handled & (_READ_FILE | _WRITE_FILE))
        if interpreter is not None:
            _allow(ruleset, (*map(Path, _SYSTEM), *sandbox.readable), _READ)
            started = [sandbox.program, *([interpreter] if interpreter.name else [])]
            _allow(ruleset, started, _READ | _EXECUTE)
        _call(_libc().syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there can't be read
        try:
            folder = os.fstat(opened).st_mode & 0o170000 == 0o040000
            granted = rights if folder else rights & _OF_A_FILE
            if granted:
                rule = struct.pack("=Qi", granted, opened)
                _call(_libc().syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0))
        finally:
            os.close(opened)


def _interpreter(program: Path) -> Path | None:
    """The loader that an ELF program names; an empty path for a static one, None for what is no such program."""
    try:
        with program.open("rb") as file:
            head = file.read(64)
            if len(head) < 64 or head[:5] != b"\x7fELF\x02":  # 64 bit
                return None
            (offset,) = struct.unpack_from("<Q", head, 32)
            size, count = struct.unpack_from("<HH", head, 54)
            file.seek(offset)
            table = file.read(size * count)
            for at in range(0, len(table) - size + 1, size):
                kind, _, begin, _, _, length = struct.unpack_from("<IIQQQQ", table, at)
                if kind == 3:  # PT_INTERP
                    file.seek(begin)
                    return Path(os.fsdecode(file.read(length).rstrip(b"\0"))).resolve()
    except (OSError, struct.error, ValueError):
        return None
    return Path()


# -- sockets of any kind -----------------------------------------------------------------------------


def _restrict_sockets() -> None:
    """No socket can be made, in whatever way: this machine has services as well (docker's, an ssh agent's)."""
    arch, socket = _MACHINES[os.uname().machine]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    refuse, allow = 0x00050000 | _EACCES, 0x7FFF0000
    program = (
        (load, 0, 0, 4),  # the machine that the call is for
        (equal, 0, 5, arch),
        (load, 0, 0, 0),  # the call's number
        (at_least, 3, 0, _X32_BIT),
        (equal, 2, 0, _IO_URING_SETUP),
        (equal, 1, 0, socket),
        (give, 0, 0, allow),
        (give, 0, 0, refuse),
    )
    code = b"".join(struct.pack("=HBBI", *one) for one in program)
    buffer = _ctypes().create_string_buffer(code, len(code))

    # struct sock_fprog: how many instructions, and where they are.
    given = struct.pack("@HP", len(program), _ctypes().addressof(buffer))
    _call(_libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, given, 0, 0))


def _call(result: int) -> int:
    if result < 0:
        number = _ctypes().get_errno()
        raise OSError(number, f"the kernel refuses to restrict a program: {os.strerror(number)}")
    return result
