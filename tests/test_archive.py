"""Files: whole or not at all, whoever else writes them, and with the rights and the place that they had."""

import ast
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tinyspad as ts
import tinyspad.commands
import tinyspad.on_formulas
from tinyspad import archive, plot
from tinyspad.__main__ import main
from tinyspad.archive import check_file, load_arrays, locked, save_arrays, write_file, write_text
from tinyspad.experiments import success_rates

posix = pytest.mark.skipif(os.name == "nt", reason="modes, links and pipes of POSIX")
locks = pytest.mark.skipif(archive.fcntl is None, reason="no fcntl: a part's lock cannot be seen")
KIND = "test 1"


def save(file, number):
    """An archive that is damaged, or of two minds, unless it is whole."""
    save_arrays(file, KIND, {"a": np.full(2000, number), "b": np.full(2000, number)})


def number_in(file):
    found = load_arrays(file, KIND, lambda arrays: np.unique(np.concatenate([arrays["a"], arrays["b"]])))
    assert len(found) == 1
    return int(found[0])


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def in_threads(*calls):
    """Run the calls at once; what they raised."""
    problems, ready = [], threading.Barrier(len(calls))

    def run(call):
        ready.wait()
        try:
            call()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


# --- at once ----------------------------------------------------------------------------------------------------------


def test_saves_of_many_threads_to_one_file_are_whole_and_the_last_one_stays(tmp_path):
    file = tmp_path / "run.npz"

    def often(first):
        for i in range(10):
            save(file, first + i)
            assert number_in(file) >= 0  # at any moment there is a whole file

    assert in_threads(*(lambda first=10 * k: often(first) for k in range(6))) == []
    assert names(tmp_path) == ["run.npz"] and number_in(file) % 10 == 9
    save(file, 77)
    assert number_in(file) == 77


def test_processes_with_one_number_save_to_one_file(tmp_path):
    """As in two containers that share a folder: the first process of each is number 1."""
    code = (
        "import os, sys; os.getpid = lambda: 1; sys.path.insert(0, sys.argv[3])\n"
        "import test_archive, pathlib\n"
        "for i in range(20): test_archive.save(pathlib.Path(sys.argv[1]), int(sys.argv[2]) + i)"
    )
    file = tmp_path / "run.npz"
    argv = [sys.executable, "-c", code, str(file)]
    several = [subprocess.Popen([*argv, str(100 * k), str(Path(__file__).parent)]) for k in (1, 2)]
    assert [process.wait(timeout=120) for process in several] == [0, 0]
    assert names(tmp_path) == ["run.npz"] and number_in(file) in (119, 219)


@locks
def test_a_block_file_that_two_runs_share_keeps_the_blocks_of_both(tmp_path, monkeypatch):
    monkeypatch.setattr("tinyspad.experiments.blocks.BLOCK", 2)
    file, few = tmp_path / "kept.jsonl", {"runs": 40, "steps": 2}
    seeds = (1, 2, 3)
    calls = [lambda rng=rng: success_rates("beale", {"GD": ts.GD()}, resume=file, rng=rng, **few) for rng in seeds]
    assert in_threads(*calls) == []
    assert len(file.read_bytes().splitlines()) == 1 + 20 * len(seeds)
    monkeypatch.setattr("tinyspad.experiments.blocks.run_block", None)  # everything is in the file
    for call, rng in zip(calls, seeds):
        call()
        with pytest.raises(ts.errors.BlockFailed):
            success_rates("beale", {"GD": ts.GD()}, resume=file, rng=rng + 10, **few)


@locks
def test_with_the_lock_one_is_alone(tmp_path):
    inside, most = [], []

    def enter():
        with open(tmp_path / "file", "ab") as stream, locked(stream.fileno()):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    assert in_threads(*[enter] * 8) == [] and most == [1] * 8


# --- killed saves -----------------------------------------------------------------------------------------------------


@locks
def test_what_a_killed_save_left_is_swept_and_what_is_under_way_is_not(tmp_path):
    file = tmp_path / "run.npz"
    save(file, 1)
    code = (
        "import sys, time; from tinyspad.archive import write_file\n"
        "def slow(stream): stream.write(b'half'); stream.flush(); print('writes', flush=True); time.sleep(600)\n"
        "write_file(sys.argv[1], slow)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline().strip() == b"writes"
        (part,) = [name for name in names(tmp_path) if name != "run.npz"]
        os.utime(tmp_path / part, (0, 0))  # however old it looks
        save(file, 2)
        assert names(tmp_path) == sorted([part, "run.npz"])  # it is still written
    finally:
        process.kill()
        process.communicate()
    assert number_in(file) == 2 and part in names(tmp_path)
    save(tmp_path / "another.npz", 3)
    assert names(tmp_path) == ["another.npz", "run.npz"]


def leave_part(folder, age=0.0):
    part = folder / archive.PART.format("0123456789abcdef")
    part.write_bytes(b"half")
    os.utime(part, (time.time() - age,) * 2)
    return part


def test_without_locks_only_old_parts_are_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "fcntl", None)
    part = leave_part(tmp_path, archive.AGE / 2)
    save(tmp_path / "run.npz", 1)
    assert part.exists()
    leave_part(tmp_path, archive.AGE * 2)
    save(tmp_path / "run.npz", 2)
    assert names(tmp_path) == ["run.npz"] and number_in(tmp_path / "run.npz") == 2


def test_only_parts_of_ours_are_swept(tmp_path):
    others = [
        "run.npz.17.part",
        ".tinyspad-.part",
        ".tinyspad-0123456789abcdef.part.gz",
        ".tinyspad-xyz.part",
        "a.part",
    ]
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / archive.PART.format("f" * 16)).mkdir()
    leave_part(tmp_path, archive.AGE * 2)
    save(tmp_path / "run.npz", 1)
    assert names(tmp_path) == sorted([*others, archive.PART.format("f" * 16), "run.npz"])


def test_a_save_whose_part_is_taken_away_starts_again(tmp_path):
    """By a sweeper that cannot see its lock: on another machine, it may be."""
    file, taken = tmp_path / "run.npz", []

    def write(stream):
        stream.write(b"whole")
        if len(taken) < 2:
            taken.extend(p.unlink() or p for p in tmp_path.glob(".tinyspad-*"))

    if os.name == "nt":
        pytest.skip("Windows removes no file that is open")
    write_file(file, write)
    assert file.read_bytes() == b"whole" and len(taken) == 2 and names(tmp_path) == ["run.npz"]
    with pytest.raises(OSError, match=r"before it has its name.*run\.npz"):
        write_file(file, lambda stream: [p.unlink() for p in tmp_path.glob(".tinyspad-*")])
    assert file.read_bytes() == b"whole"


@pytest.mark.parametrize("problem", [ValueError("f"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_what_fails_leaves_the_old_file_and_no_part(tmp_path, problem):
    file = tmp_path / "run.npz"
    save(file, 1)

    def write(stream):
        stream.write(b"half")
        raise problem

    with pytest.raises(type(problem)) as caught:
        write_file(file, write)
    assert names(tmp_path) == ["run.npz"] and number_in(file) == 1
    assert not isinstance(problem, OSError) or str(file) in str(caught.value)


# --- links, modes, devices --------------------------------------------------------------------------------------------


def link(place, target):
    try:
        place.symlink_to(target)
    except OSError:
        pytest.skip("links cannot be made here")


def test_links_are_followed_and_stay(tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    save(there / "run.npz", 1)
    link(tmp_path / "second", Path("there", "run.npz"))
    link(tmp_path / "first", tmp_path / "second")
    save(tmp_path / "first", 2)
    assert (tmp_path / "first").is_symlink() and (tmp_path / "second").is_symlink()
    assert number_in(there / "run.npz") == number_in(tmp_path / "first") == 2
    link(tmp_path / "dangling", there / "new.npz")
    save(tmp_path / "dangling", 3)
    assert (tmp_path / "dangling").is_symlink() and number_in(there / "new.npz") == 3
    link(tmp_path / "folder", there)
    save(tmp_path / "folder" / "run.npz", 4)
    assert number_in(there / "run.npz") == 4 and names(there) == ["new.npz", "run.npz"]
    assert names(tmp_path) == ["dangling", "first", "folder", "second", "there"]
    link(tmp_path / "circle", tmp_path / "circle")
    with pytest.raises(OSError, match="circle"):
        save(tmp_path / "circle", 5)


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o666, 0o755])
def test_an_old_file_keeps_its_mode_and_a_new_one_obeys_the_umask(tmp_path, mode):
    file = tmp_path / "run.npz"
    save(file, 1)
    file.chmod(mode)
    seen = []
    write_file(file, lambda stream: seen.append(stat.S_IMODE(os.fstat(stream.fileno()).st_mode)))
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert seen == [0o600]  # of a secret file nothing is shown meanwhile
    before = os.umask(0o777 & ~mode)
    try:
        save(tmp_path / "new.npz", 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.npz").stat().st_mode) == mode & 0o666


@posix
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    file = tmp_path / "run.npz"
    save(file, 1)
    file.chmod(0o444)
    if os.access(file, os.W_OK):  # root may always
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"run\.npz"):
        save(file, 2)
    assert number_in(file) == 1 and names(tmp_path) == ["run.npz"]


@posix
def test_a_folder_that_may_not_be_written_to_is_told(tmp_path, monkeypatch):
    def refuses(part, flags, mode):
        raise PermissionError(errno.EACCES, "Permission denied", str(part))

    save(tmp_path / "run.npz", 1)
    monkeypatch.setattr(os, "open", refuses)
    with pytest.raises(PermissionError, match=r"Permission denied in its folder.*save to another folder: .*run\.npz'$"):
        save(tmp_path / "run.npz", 2)
    monkeypatch.undo()
    monkeypatch.setattr(os, "scandir", lambda folder: refuses(folder, 0, 0))
    save(tmp_path / "run.npz", 3)
    assert number_in(tmp_path / "run.npz") == 3


def test_a_folder_is_told_as_such(tmp_path):
    with pytest.raises(IsADirectoryError, match=rf"folder.*{tmp_path.name}"):
        save(tmp_path, 1)
    with pytest.raises(FileNotFoundError, match=r"folder.*run\.npz"):
        save(tmp_path / "nowhere" / "run.npz", 1)
    assert names(tmp_path) == []


def test_a_name_without_a_folder_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("run.npz", 1)
    save(Path("run.npz"), 2)
    assert names(tmp_path) == ["run.npz"] and number_in("run.npz") == 2


def test_the_longest_name_can_be_saved_to(tmp_path):
    file = tmp_path / ("x" * 251 + ".npz")
    save(file, 1)
    assert number_in(file) == 1 and names(tmp_path) == [file.name]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs os.mkfifo")
def test_a_pipe_is_written_in_place(tmp_path):
    pipe, got = tmp_path / "pipe.png", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    figure = plot.ledger(ts.trace(ts.functions.f1, 5.0).ledger("x")).figure
    plot.save(figure, pipe)
    reader.join()
    assert got[0].startswith(b"\x89PNG") and got[0].endswith(b"IEND\xaeB`\x82")
    assert stat.S_ISFIFO(pipe.stat().st_mode) and names(tmp_path) == ["pipe.png"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_devices_are_written_in_place_and_fail_as_they_do(tmp_path):
    save("/dev/null", 1)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    link(tmp_path / "full.npz", "/dev/full")
    for file in ("/dev/full", tmp_path / "full.npz"):
        with pytest.raises(OSError, match=rf"No space left.*{file}"):
            save(file, 1)
    assert (tmp_path / "full.npz").is_symlink() and names(tmp_path) == ["full.npz"]


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="needs /dev/stdout")
@pytest.mark.parametrize("to", ["pipe", "file"])
def test_standard_output_is_written_in_place(tmp_path, to):
    code = "from tinyspad.archive import write_text; write_text('/dev/stdout', 'here')"
    with open(tmp_path / "out", "wb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE if to == "pipe" else stream, check=True, timeout=60
        )
    assert names(tmp_path) == ["out"]
    got = done.stdout if to == "pipe" else (tmp_path / "out").read_bytes()
    assert got == b"here"


# --- Windows ----------------------------------------------------------------------------------------------------------


def windows(monkeypatch, failures):
    """Let a file be open elsewhere for so many attempts to replace it."""
    replace, left = os.replace, iter(range(failures))

    def refuses(source, target):
        if next(left, None) is not None:
            raise PermissionError(errno.EACCES, "Access is denied", str(source))
        replace(source, target)

    monkeypatch.setattr(archive, "fcntl", None)
    monkeypatch.setattr(archive.os, "replace", refuses)
    monkeypatch.setattr(archive, "WINDOWS", True)


def test_a_file_that_is_read_just_now_is_replaced_a_moment_later(tmp_path, monkeypatch):
    save(tmp_path / "run.npz", 1)
    windows(monkeypatch, 5)
    save(tmp_path / "run.npz", 2)
    assert number_in(tmp_path / "run.npz") == 2 and names(tmp_path) == ["run.npz"]


def test_a_file_that_stays_open_elsewhere_is_told_with_what_to_do(tmp_path, monkeypatch):
    save(tmp_path / "run.npz", 1)
    windows(monkeypatch, 10**9)
    monkeypatch.setattr(archive, "PATIENCE", 0.05)
    with pytest.raises(PermissionError, match=r"has it open.*close it there, or save under another name.*run\.npz'$"):
        save(tmp_path / "run.npz", 2)
    assert number_in(tmp_path / "run.npz") == 1 and names(tmp_path) == ["run.npz"]


def test_elsewhere_a_refusal_is_told_at_once(tmp_path, monkeypatch):
    windows(monkeypatch, 1)
    monkeypatch.setattr(archive, "WINDOWS", False)
    with pytest.raises(PermissionError, match=r"Access is denied.*run\.npz"):
        save(tmp_path / "run.npz", 2)


# --- everything that writes -------------------------------------------------------------------------------------------

ALLOWED = {
    ("archive.py", "open"),  # here it is
    ("archive.py", "fdopen"),
    ("archive.py", "savez_compressed"),
    ("experiments/blocks.py", "open"),  # a file that is added to, under a lock
    ("experiments/network_memory.py", "write_text"),  # /proc/self/clear_refs
    ("__main__.py", "open"),  # the null device, for what nobody reads any more
    ("plot/figures.py", "savefig"),  # into write_file's stream
}
WRITES = {"write_text", "write_bytes", "savefig", "save", "savez", "savez_compressed", "savetxt", "tofile", "touch"}
OPENS = {"open", "fdopen", "mkstemp", "NamedTemporaryFile"}


def test_every_file_is_written_through_one_function():
    root = Path(ts.__file__).parent
    found = set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            owner = getattr(getattr(node.func, "value", None), "id", None)
            modes = [a.value for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)]
            reads = name == "open" and owner != "os" and not {c for m in map(str, modes) for c in m} & set("wax+")
            ours = isinstance(node.func, ast.Name) or (owner, name) == ("plot", "save")
            if (name in OPENS and not reads) or (name in WRITES and not ours):
                found.add((file.relative_to(root).as_posix(), name))
    assert found == ALLOWED


@pytest.mark.parametrize(
    "argv, file",
    [
        (["explain", "x*x", "x=3", "--out", "OUT/page.html"], "page.html"),
        (["paths", "x*x", "x=3", "--figure", "OUT/p.svg"], "p.svg"),
        (["demo", "--runs", "2", "--steps", "2", "--out", "OUT"], "figure3.png"),
        (["figures", "f1_graph", "--out", "OUT"], "data/f1_graph.json"),
        (["reproduce", "decomposition", "--out", "OUT"], "figures/data/reproduction.json"),
        pytest.param(
            ["networks", "glyphs-fc", "--methods", "baseline", "--iterations", "2", "--out", "OUT"],
            "data/networks_glyphs-fc.csv",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_commands_write_through_links_and_leave_no_half_a_file(tmp_path, monkeypatch, capsys, argv, file):
    place, target = tmp_path / "out" / file, tmp_path / "target"
    place.parent.mkdir(parents=True)
    link(place, target)
    argv = [a.replace("OUT", str(tmp_path / "out")) for a in argv]
    assert main(argv) == 0, capsys.readouterr().err
    whole = target.read_bytes()
    assert place.is_symlink() and whole

    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(argv) == 2 and "No space left" in capsys.readouterr().err
    assert target.read_bytes() == whole and not list(tmp_path.rglob(".tinyspad-*"))


def test_a_text_is_utf_8_with_plain_line_ends(tmp_path):
    write_text(tmp_path / "note", "α\nβ\n")
    assert (tmp_path / "note").read_bytes() == "α\nβ\n".encode()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_saves_that_are_killed_at_any_moment_lose_nothing(tmp_path):
    """A process that saves without end is killed again and again: the file is whole, and the folder clean, each time."""
    file = tmp_path / "run.npz"
    save(file, 0)
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[2]); import test_archive\n"
        "print(flush=True)\n"
        "while True: test_archive.save(pathlib.Path(sys.argv[1]), 1)"
    )
    for wait in (0.0, 0.003, 0.011):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(file), str(Path(__file__).parent)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert number_in(file) in (0, 1)
        save(file, 0)
        assert names(tmp_path) == ["run.npz"] or archive.fcntl is None


def test_a_place_is_tried_and_left_as_it_was(tmp_path):
    here = tmp_path / "here.txt"
    here.write_text("mine")
    for file in (here, tmp_path / "new" / "one" / "a.txt", "/dev/null"):
        if Path(file).parent.exists() or file != "/dev/null":
            check_file(file)
    assert os.listdir(tmp_path) == ["here.txt"] and here.read_text() == "mine"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc")
@pytest.mark.parametrize("command", [["table", "1", "--runs", "2"], ["compare", "x*x", "x=1"]])
def test_what_cannot_be_written_is_told_before_the_work_is_done(command, capsys, monkeypatch):
    for work in ("minimize", "paper_table"):
        for module in (tinyspad.commands, tinyspad.on_formulas):
            monkeypatch.setattr(module, work, None, raising=False)  # nothing is run
    assert main([*command, "--figure", "/proc/nope/a.png"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.endswith("No such file or directory: '/proc/nope'\n")


@posix
def test_a_file_or_folder_without_the_right_to_write_is_refused(tmp_path, monkeypatch):
    """Rights mean nothing to the superuser, so the system's answers are given here."""
    file = tmp_path / "a.txt"
    file.write_text("mine")
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda *_: False)
        with pytest.raises(PermissionError, match=r"a\.txt"):
            check_file(file)

    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(PermissionError, match=r"save to another folder.*b\.txt"):
        check_file(tmp_path / "new" / "b.txt")
    assert os.listdir(tmp_path) == ["a.txt"]
