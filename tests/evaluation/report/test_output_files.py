"""Output is complete or absent."""

import errno
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from hawkeys._files import write_text
from hawkeys.evaluation.report.files import (
    MANIFEST,
    UNFINISHED,
    check_output_directory,
    staged_directory,
)
from hawkeys.exceptions import DatasetNotFoundError, OutputError


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_files_appear_when_the_block_ends(tmp_path):
    target = tmp_path / "a" / "b"
    with staged_directory(target) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "x.txt").write_text("1")
        assert not target.exists()
    assert tree(tmp_path) == ["a", "a/b", "a/b/sub", "a/b/sub/x.txt"]


def write(target, files, error=None):
    """Write files through a staged folder, and fail at the end if an error is given."""
    with staged_directory(target) as folder:
        for name, content in files.items():
            (folder / name).write_text(content)
        if error is not None:
            raise error


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (RuntimeError("stop"), RuntimeError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(28, "No space left on device"), OutputError),
    ],
)
def test_nothing_changes_when_the_block_fails(tmp_path, error, seen):
    target = tmp_path / "out"
    target.mkdir()
    (target / "x.txt").write_text("old")
    with pytest.raises(seen):
        write(target, {"x.txt": "new", "y.txt": "new"}, error)
    assert tree(tmp_path) == ["out", "out/x.txt"]
    assert (target / "x.txt").read_text() == "old"


def test_nothing_appears_when_the_target_was_missing(tmp_path):
    with pytest.raises(RuntimeError), staged_directory(tmp_path / "a" / "b"):
        raise RuntimeError("stop")
    assert tree(tmp_path) == []


def test_existing_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "x.txt").write_text("old")
    with staged_directory(tmp_path) as folder:
        (folder / "x.txt").write_text("new")
    assert tree(tmp_path) == ["mine.txt", "x.txt"]
    assert (tmp_path / "x.txt").read_text() == "new"


def test_files_of_an_earlier_report_that_are_no_longer_made_are_removed(tmp_path):
    def write_report(names):
        listed = [*names, "../precious.txt", "/etc/precious", 7]
        manifest = json.dumps({"files": listed})
        write(tmp_path / "out", {**dict.fromkeys(names, "1"), MANIFEST: manifest})

    (tmp_path / "precious.txt").write_text("keep")
    write_report(["a.txt", "b.txt"])
    (tmp_path / "out" / "mine.txt").write_text("mine")
    write_report(["a.txt"])
    assert tree(tmp_path / "out") == ["a.txt", MANIFEST, "mine.txt"]
    assert (tmp_path / "precious.txt").exists()


@pytest.mark.parametrize("content", ["not json", "[]", "{}", '{"files": 3}'])
def test_an_unreadable_manifest_removes_nothing(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    (tmp_path / "a.txt").write_text("1")
    with staged_directory(tmp_path) as folder:
        (folder / "b.txt").write_text("2")
    assert tree(tmp_path) == ["a.txt", "b.txt", MANIFEST]


def test_a_folder_in_the_way_is_refused_before_anything_moves(tmp_path):
    (tmp_path / "x.txt").mkdir()
    with pytest.raises(OutputError, match="a folder of that name is in the way"):
        write(tmp_path, {"a.txt": "1", "x.txt": "1"})
    assert tree(tmp_path) == ["x.txt"]


def test_errors_of_this_package_pass_unchanged(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"^gone$"), staged_directory(tmp_path):
        raise DatasetNotFoundError("gone")


def test_check_leaves_no_trace(tmp_path):
    target = tmp_path / "a" / "b"
    assert check_output_directory(target) == target
    assert tree(tmp_path) == []
    assert check_output_directory(tmp_path) == tmp_path
    assert tree(tmp_path) == []


def write_report(target, names, text):
    manifest = json.dumps({"files": [*names, MANIFEST], "text": text})
    with staged_directory(target) as folder:
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        (folder / MANIFEST).write_text(manifest)


def whole(target, names, text):
    """Whether a report is there with all its files, all of one making."""
    return (
        json.loads((target / MANIFEST).read_text())["text"] == text
        and {name: (target / name).read_text() for name in names} == dict.fromkeys(names, text)
    )  # fmt: skip


OLD, NEW = ["a.txt", "b.txt", "sub/c.txt"], ["a.txt", "d.txt", "sub/e.txt"]


@pytest.mark.parametrize("others", [False, True], ids=["alone", "with files of others"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, PermissionError])
def test_a_report_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch, others, error):
    """Stopped before or after any step that moves something."""
    rename, steps, outcomes = Path.rename, [], []

    def stopped(path, target):
        steps.append(path)
        if len(steps) == stop_at and not after:
            raise error(13, "stop")
        rename(path, target)
        if len(steps) == stop_at and after:
            raise error(13, "stop")

    for after in (False, True):
        for stop_at in range(1, 12):
            target = tmp_path / f"{after}{stop_at}"
            write_report(target, OLD, "old")
            if others:
                (target / "mine.txt").write_text("mine")
            steps.clear()
            with monkeypatch.context() as patch:
                patch.setattr(Path, "rename", stopped)
                with suppress(KeyboardInterrupt, OutputError):
                    write_report(target, NEW, "new")
            is_old, is_new = whole(target, OLD, "old"), whole(target, [], "new")
            outcomes.append(is_new)
            assert is_old or whole(target, NEW, "new")
            stale = NEW[1:] if is_old else OLD[1:]
            assert not any((target / name).exists() for name in stale)
            assert (target / "mine.txt").exists() is others
    assert {path.name[:8] for path in tmp_path.iterdir()}.isdisjoint({".hawkeys"})
    assert set(outcomes) == {True, False}


def test_the_folder_of_a_report_is_exchanged_in_one_step(tmp_path):
    target, link = tmp_path / "out", tmp_path / "link"
    write_report(target, OLD, "old")
    target.chmod(0o750)
    before = target.stat()
    link.symlink_to(target)
    (target / UNFINISHED / "scores-1").mkdir(parents=True)
    (target / UNFINISHED / "scores-1" / "s.npz").write_text("kept")
    write_report(link, NEW, "new")
    assert whole(target, NEW, "new")
    assert link.is_symlink()
    assert target.stat().st_ino != before.st_ino
    assert target.stat().st_mode == before.st_mode
    assert tree(target) == [UNFINISHED, f"{UNFINISHED}/scores-1", f"{UNFINISHED}/scores-1/s.npz",
                            "a.txt", "d.txt", MANIFEST, "sub", "sub/e.txt"]  # fmt: skip
    assert tree(tmp_path / "link") == tree(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]


@pytest.mark.parametrize("case", ["working folder", "two runs", "parent read-only"])
def test_a_folder_that_somebody_uses_stays_the_same_folder(tmp_path, monkeypatch, case):
    target = tmp_path / "out"
    write_report(target, OLD, "old")
    before = target.stat().st_ino
    if case == "working folder":
        (target / "sub").mkdir(exist_ok=True)
        monkeypatch.chdir(target / "sub")
    if case == "two runs":
        for name in "12":
            (target / UNFINISHED / f"scores-{name}").mkdir(parents=True)
    if case == "parent read-only":
        mkdir = Path.mkdir

        def refused(path, *args, **kwargs):
            if path.parent == tmp_path and not path.exists():
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            mkdir(path, *args, **kwargs)

        monkeypatch.setattr(Path, "mkdir", refused)  # a mode would not stop root
    write_report(target, NEW, "new")
    assert whole(target, NEW, "new")
    assert target.stat().st_ino == before
    assert not [name for name in tree(tmp_path) if "hawkeys-" in name]


@pytest.mark.parametrize("place", ["file", "file/below", "file/below/deeper"])
def test_a_file_in_the_way(tmp_path, place):
    (tmp_path / "file").write_text("1")
    with pytest.raises(OutputError, match=r"cannot write to '.*': Not a directory\. Choose"):
        check_output_directory(tmp_path / place)


def test_a_folder_without_permission(tmp_path, monkeypatch):
    def refused(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refused)  # a mode would not stop root
    with pytest.raises(OutputError, match=r"Permission denied\. Choose a folder"):
        check_output_directory(tmp_path / "out")


def test_a_place_where_even_root_cannot_write():
    with pytest.raises(OutputError, match="cannot write to '/proc/hawkeys/out'"):
        check_output_directory("/proc/hawkeys/out")


def test_a_link_stays_a_link_and_a_pipe_is_written_to(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_text(tmp_path / "pipe", "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
