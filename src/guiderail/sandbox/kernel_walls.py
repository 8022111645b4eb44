"""Child side: what Linux lets an ordinary process wall itself off from: files and system calls.

Landlock (from Linux 5.13) takes away every file that is not named; a seccomp filter takes away the
calls with which a process starts programs, looks into others, connects to anything or asks for
more of the kernel. Both hold for whatever the process starts, and neither can be undone. Standard
library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from collections.abc import Iterable, Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_READ = 1 << 2 | 1 << 3
_WRITE = sum(1 << bit for bit in (1, 2, 3, 4, 5, 7, 8, 9, 10, 12))
_RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many file rights each version of Landlock knows; later ones know as many as the last."""

_OF_FILES = 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
"""Rights that a rule about a single file may give."""

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE = 1, 1, 0xF  # SOCK_TYPE_MASK of linux/net.h
_ARCHITECTURES: dict[str, tuple[int, int, int, tuple[int, ...]]] = {
    # audit number, socket(2), socketpair(2), refused: execve, execveat, ptrace, process_vm_readv
    # and writev, unshare, setns, mount, bpf, keyctl, add_key, perf_event_open, userfaultfd,
    # io_uring_setup, kexec_load, init_module, finit_module, open_by_handle_at, pidfd_getfd, connect
    "x86_64": (
        0xC000003E, 41, 53,
        (59, 322, 101, 310, 311, 272, 308, 165, 321, 250, 248, 298, 323, 425, 246, 175, 313, 304,
         438, 42),
    ),
    "aarch64": (
        0xC00000B7, 198, 199,
        (221, 281, 117, 270, 271, 97, 268, 40, 280, 219, 217, 241, 282, 425, 104, 105, 273, 265,
         438, 203),
    ),
}  # fmt: skip


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("place", ctypes.c_int32))


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("start", ctypes.POINTER(_Instruction)))


def wall_off_files(read: Iterable[str], write: Iterable[str]) -> str | None:
    """Leave only these files and directories. Gives the reason where it could not be done.

    Needs `no_new_privs`. Also rules out TCP and signals to other processes where the kernel can.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return f"files could not be walled off: {os.strerror(ctypes.get_errno())}"
    rights = (1 << _RIGHTS_OF_VERSION.get(version, 16)) - 1
    ruleset = _Ruleset(rights, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    handle = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    if handle < 0:
        return f"files could not be walled off: {os.strerror(ctypes.get_errno())}"
    write_rights = (_WRITE | 1 << 14) & rights
    for paths, given in ((read, _READ), (write, write_rights)):
        for path in paths:
            _give(libc, handle, path, given)
    done = libc.syscall(_RESTRICT_SELF, handle, 0) == 0
    reason = os.strerror(ctypes.get_errno())
    os.close(handle)
    return None if done else f"files could not be walled off: {reason}"


def _give(libc: ctypes.CDLL, handle: int, path: str, rights: int) -> None:
    """A path that is not there gives nothing, and nothing is lost by that."""
    with contextlib.suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not os.path.isdir(path):
            rights &= _OF_FILES
        rule = _Beneath(rights, place)
        libc.syscall(_ADD_RULE, handle, _PATH_BENEATH, ctypes.byref(rule), 0)
        os.close(place)


def refuse_calls() -> str | None:
    """Take the calls away for good. Gives the reason where it could not be done."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return f"system calls are not filtered on {machine}"
    steps = _filter(*_ARCHITECTURES[machine])
    program = _Program(len(steps), (_Instruction * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        return f"system calls could not be filtered: {os.strerror(ctypes.get_errno())}"
    return None


def _filter(audit: int, socket: int, socketpair: int, refused: Sequence[int]) -> list[_Instruction]:
    """Classic BPF over `struct seccomp_data`: number at 0, architecture at 4, arguments from 16.

    Another architecture, the x32 numbers of x86_64 and the listed calls are refused. Sockets are
    refused unless they are Unix stream sockets: those carry nothing without a connection, and
    connecting is among the refused calls, so that a process can only answer whoever comes to a
    socket that it has. Everything else is allowed.
    """
    load, equal, at_least, masked, give = 0x20, 0x15, 0x35, 0x54, 0x06
    count = len(refused)
    end = 11 + count  # the two answers: `end` refuses, `end + 1` allows
    steps = [
        _Instruction(load, 0, 0, 4),
        _Instruction(equal, 0, end - 2, audit),
        _Instruction(load, 0, 0, 0),
        _Instruction(at_least, end - 4, 0, 0x40000000),
    ]
    for number in refused:
        steps.append(_Instruction(equal, end - len(steps) - 1, 0, number))
    steps += [
        _Instruction(equal, 1, 0, socket),
        _Instruction(equal, 0, end - 5 - count, socketpair),
        _Instruction(load, 0, 0, 16),
        _Instruction(equal, 0, end - 8 - count, _AF_UNIX),
        _Instruction(load, 0, 0, 24),
        _Instruction(masked, 0, 0, _SOCK_TYPE),
        _Instruction(equal, 1, 0, _SOCK_STREAM),
        _Instruction(give, 0, 0, _REFUSE),
        _Instruction(give, 0, 0, _ALLOW),
    ]
    return steps
