"""A file of attempts holds whole attempts, whatever stops the process or the disk."""

import os
import signal
import subprocess
import sys

import pytest

from hawkeys.capture import AttemptFile
from hawkeys.datasets import read_key_events
from hawkeys.exceptions import OutputError

LINE = (
    b'{"schema":"hawkeys-attempts/1","user":"ann","attempt":1,"events":[{"type":"keydown",'
    b'"timeStamp":1.5,"key":"h","code":"KeyH","repeat":false}]}\n'
)


def test_lines_are_appended_and_private(tmp_path):
    path = tmp_path / "own.jsonl"
    for _ in range(2):
        with AttemptFile(path) as file:
            file.append(LINE)
            assert file.n_bytes_removed == 0
    assert path.read_bytes() == 2 * LINE
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [1, 20, len(LINE) - 3])
def test_half_a_line_is_removed(tmp_path, size):
    path = tmp_path / "own.jsonl"
    for before in (b"", 2 * LINE):
        path.write_bytes(before + LINE[:size])
        with AttemptFile(path) as file:
            assert file.n_bytes_removed == size
            file.append(LINE)
        assert path.read_bytes() == before + LINE
        assert len(read_key_events(path)) == len(path.read_bytes().splitlines())


def test_a_whole_line_without_its_end_stays(tmp_path):
    path = tmp_path / "own.jsonl"
    for before in (b"", 2 * LINE):
        path.write_bytes(before + LINE[:-1])
        with AttemptFile(path) as file:
            assert file.n_bytes_removed == 0
            file.append(LINE)
        assert path.read_bytes() == before + 2 * LINE


@pytest.mark.parametrize(
    "content",
    [b"subject,H.a\nann,0.1\n", b"{}\n", b"[1]", b"null\n", b'{"schema": "other"}\n', b"\xff\xfe",
     b"\n" + LINE, b"x"],
)  # fmt: skip
def test_another_file_stays_as_it_is(tmp_path, content):
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"holds something else than attempts .* Name another"):
        AttemptFile(path)
    assert path.read_bytes() == content


def test_a_folder_and_a_missing_folder(tmp_path):
    with pytest.raises(OutputError, match="cannot write to"):
        AttemptFile(tmp_path)
    with pytest.raises(OutputError, match="Choose a folder that exists"):
        AttemptFile(tmp_path / "nowhere" / "own.jsonl")


@pytest.mark.skipif(os.name != "posix", reason="locks of files are POSIX's")
def test_two_processes_do_not_append_to_one_file(tmp_path):
    path = tmp_path / "own.jsonl"
    first = AttemptFile(path)
    with pytest.raises(OutputError, match="another 'hawkeys capture' appends to"):
        AttemptFile(path)
    first.close()
    AttemptFile(path).close()


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path, write = tmp_path / "own.jsonl", os.write

    def full(handle, line):
        return write(handle, line[:10])

    def broken(handle):
        raise OSError(5, "Input/output error")

    with AttemptFile(path) as file:
        file.append(LINE)
        with monkeypatch.context() as patch:
            patch.setattr("os.write", full)
            with pytest.raises(OutputError, match="cannot write all of an attempt"):
                file.append(LINE)
        assert path.read_bytes() == LINE
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", broken)
            with pytest.raises(OutputError, match="Input/output error"):
                file.append(LINE)
        assert path.read_bytes() == LINE
        file.append(LINE)
    assert path.read_bytes() == 2 * LINE


PROGRAM = """
import sys
from hawkeys.capture import AttemptFile
file = AttemptFile(sys.argv[1])
for number in range(100_000):
    file.append(%r)
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_a_killed_process_leaves_every_attempt_it_has_stored(tmp_path):
    path = tmp_path / "own.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM % LINE, str(path)], stdout=subprocess.PIPE
    ) as process:
        told = [process.stdout.readline() for _ in range(30)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    n_told = len([line for line in told if line.endswith(b"\n")])
    with AttemptFile(path):  # the lock went with the process
        pass
    assert path.read_bytes().count(b"\n") in (n_told, n_told + 1)
    assert path.read_bytes() == LINE * path.read_bytes().count(b"\n")
    assert len(read_key_events(path)) >= 30
