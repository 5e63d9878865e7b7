"""Hides from the files of this repository what Windows or macOS lack; the standard library and others keep it.

    PYTHONPATH=tests/without_posix python -m pytest tests/test_faults.py

Python imports a module of this name before anything else, in every process that it starts: in those of workers, too.
"""

import builtins
import importlib
import io
import os
import signal
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
MODULES = {"resource", "fcntl", "termios", "tty", "pty", "pwd", "grp", "syslog", "posix"}
FOLDERS = ("/proc", "/dev")
ON_WINDOWS = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"}
SIGNALS = {name for name in dir(signal) if name.startswith("SIG") and name[3:].isalpha()} - ON_WINDOWS - {"SIG"}
SIGNALS |= {"alarm", "setitimer", "getitimer", "pause", "pthread_kill", "pthread_sigmask", "sigwait", "siginterrupt"}
CALLS = {
    "fork",
    "forkpty",
    "killpg",
    "setsid",
    "getpgid",
    "setpgid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "mkfifo",
}
CALLS |= {"wait", "wait4", "WNOHANG", "sysconf", "uname", "nice", "getloadavg", "sched_getaffinity", "chown", "statvfs"}
BETWEEN = {"importlib", "pathlib", "genericpath", "posixpath", "_pytest.outcomes", __name__}
"""Modules that do for their caller what he asks."""


def ours():
    """Whether it is a file of this repository that asks."""
    frame = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").split("._")[0] in BETWEEN:
        frame = frame.f_back
    file = frame.f_code.co_filename if frame else ""
    return os.path.abspath(file).startswith(ROOT) and "site-packages" not in file


def hide(module, names):
    kept = {name: module.__dict__.pop(name) for name in names & set(module.__dict__)}

    def __getattr__(name):
        if name in kept and not ours():
            return kept[name]
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}, without POSIX")

    module.__getattr__ = __getattr__


def without_folders(call, missing=FileNotFoundError):
    def guarded(path, *args, **kwargs):
        if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(FOLDERS) and ours():
            raise missing(2, "No such file or directory, without POSIX", os.fspath(path))
        return call(path, *args, **kwargs)

    return guarded


def without_modules(call):
    def guarded(name, *args, **kwargs):
        if name.partition(".")[0] in MODULES and ours():
            raise ModuleNotFoundError(f"No module named {name!r}, without POSIX", name=name)
        return call(name, *args, **kwargs)

    return guarded


hide(signal, SIGNALS)
hide(os, CALLS)
os.stat = without_folders(os.stat)
io.open = builtins.open = without_folders(builtins.open)
builtins.__import__ = without_modules(builtins.__import__)
importlib.import_module = without_modules(importlib.import_module)
