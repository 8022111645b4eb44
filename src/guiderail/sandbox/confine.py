"""Child side: give up what the process does not need before anything untrusted is read.

Run as `python -I -c <launcher>` by `sandbox.process`; standard library only. What was achieved is
written as JSON beside the results, because an isolation that was not achieved must be visible.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
LAST_CAPABILITY = 63
CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


_ALWAYS_READ = (
    *("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/localtime"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm"),
    *("/sys/devices/system", "/sys/fs/cgroup", "/dev/null", "/dev/zero", "/dev/urandom"),
)
"""What Python and numeric libraries read wherever they run."""


def confine(
    limits: Mapping[str, int],
    report: Path,
    read: Sequence[str] | None = None,
    write: Sequence[str] = (),
) -> None:
    """Apply the limits to this process, leave the network, drop privileges, and say what worked.

    limits: cpu_seconds, memory_bytes, file_bytes, open_files. A limit of 0 is not applied.
    read, write: the only files and directories that stay open to the process, beside those of
    Python itself; with None no file is closed to it and no call is refused.
    """
    with report.open("w", encoding="utf-8") as stream:  # opened before files are walled off
        achieved: dict[str, object] = {"limits": _limit(limits)}
        achieved |= _leave_network() if sys.platform == "linux" else _no_namespaces()
        if read is not None and sys.platform == "linux":
            achieved |= _wall_off(achieved, read, write)
        json.dump(achieved, stream)


def _wall_off(
    before: Mapping[str, object], read: Sequence[str], write: Sequence[str]
) -> dict[str, object]:
    from guiderail.sandbox.kernel_walls import refuse_calls, wall_off_files

    own = (sys.prefix, sys.base_prefix, sys.exec_prefix, *(path for path in sys.path if path))
    package = str(Path(__file__).resolve().parents[1])
    files = wall_off_files((*_ALWAYS_READ, *own, package, *read), (*write, "/dev/null"))
    calls = refuse_calls()
    told = [reason for reason in (files, calls) if reason is not None]
    notes = before["notes"]
    return {
        "files_confined": files is None,
        "calls_confined": calls is None,
        "notes": [*(notes if isinstance(notes, list) else ()), *told],
    }


def _limit(limits: Mapping[str, int]) -> list[str]:
    kinds = (
        ("cpu_seconds", resource.RLIMIT_CPU),
        ("memory_bytes", resource.RLIMIT_AS),
        ("file_bytes", resource.RLIMIT_FSIZE),
        ("open_files", resource.RLIMIT_NOFILE),
    )
    applied = []
    for name, kind in kinds:
        value = limits.get(name, 0)
        if value <= 0:
            continue
        try:
            # One second between soft and hard: the soft one tells the parent what happened.
            hard = value + 1 if kind == resource.RLIMIT_CPU else value
            resource.setrlimit(kind, (value, hard))
        except (OSError, ValueError):
            continue
        applied.append(name)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return applied


def _no_namespaces() -> dict[str, object]:
    return {
        "network": False,
        "privileges_dropped": False,
        "notes": [f"{sys.platform} offers no network namespaces to ordinary processes"],
    }


def _leave_network() -> dict[str, object]:
    libc = ctypes.CDLL(None, use_errno=True)
    notes: list[str] = []
    libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
    network = libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0
    if not network:
        reason = os.strerror(ctypes.get_errno())
        network = libc.unshare(CLONE_NEWNET) == 0
        if not network:
            notes.append(f"the network could not be left: {reason}")
    no_new = libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    nothing = (_CapabilityData * 2)()
    dropped = libc.capset(ctypes.byref(header), nothing) == 0
    if not dropped:
        notes.append(f"privileges could not be dropped: {os.strerror(ctypes.get_errno())}")
    if not no_new:
        notes.append("new privileges could not be ruled out")
    return {"network": network, "privileges_dropped": dropped and no_new, "notes": notes}
