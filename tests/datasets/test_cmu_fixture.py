import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.mark.parametrize("fixture", ["cmu", "free_text_path"])
@pytest.mark.parametrize("folder", [None, "empty"])
@pytest.mark.parametrize(("require", "outcome"), [("0", "1 skipped"), ("1", "1 error")])
def test_without_the_file_the_fixture_skips_or_fails(tmp_path, fixture, folder, require, outcome):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_it.py").write_text(f"def test_it({fixture}):\n    pass\n")
    keep = {name: value for name, value in os.environ.items() if name != "HAWKEYS_DATA"}
    extra = {} if folder is None else {"HAWKEYS_DATA": str(tmp_path / folder)}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        env={**keep, **extra, "HAWKEYS_REQUIRE_DATA": require},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in run.stdout
    assert "HAWKEYS_DATA" in run.stdout
