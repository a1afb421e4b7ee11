# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a function where nothing that it makes can outlive it.

The function's process is number 1 of a process namespace and is killed by the kernel when its parent dies, however that
happens; with it die all processes that it started, and with them the network namespaces, interfaces, rules and mounts,
which nothing else holds. So there is no clean-up that could be missed.
"""

import ctypes
import os
import select
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_REC_PRIVATE = (1 << 14) | (1 << 18)
PR_SET_PDEATHSIG = 1

# Mount points that no program here needs; the first that is empty gets the private tmpfs.
SCRATCH_CANDIDATES = ["/mnt", "/media", "/srv", "/opt", "/home", "/var/tmp"]

_libc = ctypes.CDLL(None, use_errno=True)


class Forbidden(Exception):
    """The machine does not let us make namespaces."""


def call(name, *arguments):
    """A function of the C library; raises OSError where it fails."""
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def unshare(flags):
    call("unshare", flags)


def setns(fd, kind):
    call("setns", fd, kind)


def run(function, paths_in_use):
    """Runs function(scratch), with the path of an empty private folder, in namespaces of its own, and returns its exit
    status. Raises Forbidden where that cannot be. `paths_in_use` are not hidden by the scratch folder."""
    _unshare_processes()
    alive_read, alive_write = os.pipe()
    refused_read, refused_write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(alive_write)
        os.close(refused_read)
        _as_first_process(function, paths_in_use, alive_read, refused_write)
    os.close(alive_read)
    os.close(refused_write)
    status = _wait(child)
    refusal = os.read(refused_read, 4096).decode()
    os.close(refused_read)
    os.close(alive_write)
    if refusal:
        raise Forbidden(refusal)
    return status


def _unshare_processes():
    """The next child is the first process of a process namespace; without privilege, as root of a user namespace."""
    flags = CLONE_NEWPID
    user, group = os.geteuid(), os.getegid()
    if user != 0:
        flags |= CLONE_NEWUSER
    try:
        unshare(flags)
        if user != 0:
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
    except OSError as error:
        raise Forbidden(f"process namespace: {error}") from error


def _wait(child):
    """The child's exit status; SIGTERM and SIGINT to us end it, and all that it started, at once."""
    interrupted = []

    def stop(number, _frame):
        interrupted.append(number)
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    # The kernel reports the end of a namespace's first process only when all others in there have ended.
    _, status = os.waitpid(child, 0)
    if interrupted:
        return 128 + interrupted[0]
    return os.waitstatus_to_exitcode(status)


def _as_first_process(function, paths_in_use, alive, refused):
    status = 1
    try:
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if select.select([alive], [], [], 0)[0]:
            os._exit(1)  # the parent died before it could be watched
        try:
            unshare(CLONE_NEWNS | CLONE_NEWNET)
            call("mount", None, b"/", None, MS_REC_PRIVATE, None)
            _mount_proc()
            scratch = _mount_scratch(paths_in_use)
        except OSError as error:
            os.write(refused, f"network and mount namespaces: {error}".encode())
            os._exit(1)
        os.close(refused)
        status = function(scratch)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the end of the process; the traceback is all that can be done
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _mount_proc():
    """So that programs find themselves in there, by the numbers that they have here."""
    try:
        call("mount", b"proc", b"/proc", b"proc", 0, None)
    except OSError:
        pass  # refused inside some containers; most programs do without


def _mount_scratch(paths_in_use):
    in_use = [os.path.realpath(path) + "/" for path in paths_in_use]
    for folder in SCRATCH_CANDIDATES:
        hides_something = any(path.startswith(folder + "/") for path in in_use)
        if not hides_something and os.path.isdir(folder) and not os.listdir(folder):
            call("mount", b"tmpfs", folder.encode(), b"tmpfs", 0, b"mode=700")
            return folder
    raise OSError(f"none of {', '.join(SCRATCH_CANDIDATES)} is free for a scratch folder")
