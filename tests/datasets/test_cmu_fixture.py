import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


FIXTURES = ("cmu", "free_text_path")


@pytest.mark.parametrize("folder", [None, "empty"])
@pytest.mark.parametrize(("require", "outcome"), [("0", "2 skipped"), ("1", "2 errors")])
def test_without_the_file_the_fixtures_skip_or_fail(tmp_path, folder, require, outcome):
    """Each test that asks for one, and says why."""
    for name in ("conftest.py", "long_files.py"):
        shutil.copy(TESTS / name, tmp_path)
    for fixture in FIXTURES:
        test = f"def test_it({fixture}):\n    pass\n"
        (tmp_path / f"test_{fixture}.py").write_text(test)
    keep = {name: value for name, value in os.environ.items() if name != "HAWKEYS_DATA"}
    extra = {} if folder is None else {"HAWKEYS_DATA": str(tmp_path / folder)}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rsE", "-p", "no:cacheprovider", str(tmp_path)],
        env={**keep, **extra, "HAWKEYS_REQUIRE_DATA": require, "COLUMNS": "200"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in run.stdout
    reasons = [line for line in run.stdout.splitlines() if line.startswith(("SKIPPED", "ERROR"))]
    assert len(reasons) == len(FIXTURES)
    for line in reasons:
        assert "HAWKEYS_DATA" in line
