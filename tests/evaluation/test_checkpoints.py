"""An interrupted evaluation goes on where it stopped, and gives the same table, byte for byte."""

import numpy as np
import pytest

from hawkeys.evaluation import Protocol, Run, evaluate
from hawkeys.evaluation.checkpoints import discard_checkpoints
from hawkeys.exceptions import OutputError
from hawkeys.verifiers import Manhattan, ScaledManhattan

PROTOCOL = Protocol(
    "quick",
    n_train=30,
    n_genuine=20,
    n_impostor=3,
    policies=("resubstitution", "leave-one-session-out"),
)


class Counting(Manhattan):
    """Counts its fits, and is interrupted at one of them."""

    fits = 0
    stop_at = None

    def _learn(self, samples, weights=None):
        if Counting.fits == Counting.stop_at:
            raise KeyboardInterrupt
        Counting.fits += 1
        super()._learn(samples, weights)


@pytest.fixture(autouse=True)
def no_fits_yet(monkeypatch):
    monkeypatch.setattr(Counting, "fits", 0)
    monkeypatch.setattr(Counting, "stop_at", None)


def run(demo, folder, **changes):
    verifiers = {"counting": Counting(), "scaled": ScaledManhattan()} | changes
    return evaluate(verifiers, demo, protocol=PROTOCOL, n_bootstrap=20, run=Run(checkpoint=folder))


def table(evaluation, tmp_path):
    return evaluation.to_csv(tmp_path / "table.csv").read_bytes()


def test_an_interrupted_run_goes_on_and_gives_the_same_table(demo, tmp_path, monkeypatch):
    whole = run(demo, None)
    fits_of_all = Counting.fits
    monkeypatch.setattr(Counting, "fits", 0)
    monkeypatch.setattr(Counting, "stop_at", fits_of_all // 2)
    with pytest.raises(KeyboardInterrupt):
        run(demo, tmp_path / "kept")
    monkeypatch.setattr(Counting, "stop_at", None)
    done_before = Counting.fits
    resumed = run(demo, tmp_path / "kept")
    assert table(resumed, tmp_path) == table(whole, tmp_path)
    # only the subject at work when it stopped was begun anew
    assert fits_of_all <= Counting.fits <= fits_of_all + fits_of_all // len(demo.subjects)
    assert done_before == fits_of_all // 2
    for one, other in zip(resumed.outcomes, whole.outcomes, strict=True):
        np.testing.assert_array_equal(one.genuine, other.genuine)
        np.testing.assert_array_equal(one.impostor_subject, other.impostor_subject)
        assert one.policy_thresholds == other.policy_thresholds


def test_a_finished_run_is_not_computed_again(demo, tmp_path):
    first = run(demo, tmp_path)
    fits = Counting.fits
    seen = []
    again = evaluate(
        {"counting": Counting(), "scaled": ScaledManhattan()},
        demo,
        protocol=PROTOCOL,
        n_bootstrap=20,
        run=Run(checkpoint=tmp_path, progress=lambda *what: seen.append(what)),
    )
    assert Counting.fits == fits
    assert seen[-1][1:] == (6, 6)
    assert again.to_frame().equals(first.to_frame())


@pytest.mark.parametrize(
    "changes", [{"scaled": ScaledManhattan(scale="std")}, {"counting": Counting(false_alarm=0.1)}]
)
def test_scores_of_another_evaluation_are_not_taken(demo, tmp_path, changes):
    run(demo, tmp_path)
    fits = Counting.fits
    changed = run(demo, tmp_path, **changes)
    assert Counting.fits == 2 * fits
    assert changed.to_frame().equals(run(demo, None, **changes).to_frame())


def test_a_damaged_file_counts_as_missing(demo, tmp_path):
    first = run(demo, tmp_path)
    fits = Counting.fits
    files = sorted(tmp_path.rglob("*.npz"))
    assert len(files) == 6
    files[0].write_bytes(files[0].read_bytes()[:200])
    files[1].write_bytes(b"")
    files[2].unlink()
    again = run(demo, tmp_path)
    assert Counting.fits == fits + fits // 2
    assert again.to_frame().equals(first.to_frame())


def test_a_run_discards_its_own_subjects_only(demo, tmp_path):
    """Another evaluation that keeps its subjects in the same folder can go on."""
    mine = Run(checkpoint=tmp_path / "kept")
    evaluate({"m": Manhattan()}, demo, protocol=PROTOCOL, n_bootstrap=20, run=mine)
    run(demo, tmp_path / "kept")
    fits = Counting.fits
    assert len(list((tmp_path / "kept").iterdir())) == 2
    discard_checkpoints(mine)
    assert [one.exists() for one in mine.kept] == [False]
    assert len(list((tmp_path / "kept").iterdir())) == 1
    run(demo, tmp_path / "kept")
    assert Counting.fits == fits
    theirs = Run(checkpoint=tmp_path / "kept")
    evaluate(
        {"counting": Counting(), "scaled": ScaledManhattan()},
        demo, protocol=PROTOCOL, n_bootstrap=20, run=theirs,
    )  # fmt: skip
    discard_checkpoints(theirs)
    assert not (tmp_path / "kept").exists()
    discard_checkpoints(theirs)


def test_discarding_leaves_other_files_alone(demo, tmp_path):
    run(demo, tmp_path / "kept")
    (tmp_path / "kept" / "notes.txt").write_text("mine")
    discard_checkpoints(tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["notes.txt"]
    (tmp_path / "kept" / "notes.txt").unlink()
    discard_checkpoints(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    discard_checkpoints(tmp_path / "kept")


def test_a_folder_that_cannot_be_made_is_reported(demo, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot keep finished subjects in .*file"):
        run(demo, tmp_path / "file")


def test_a_run_goes_on_when_another_one_discards_all(demo, tmp_path):
    def discard(what, done, total):
        discard_checkpoints(tmp_path / "kept")

    made = evaluate(
        {"counting": Counting()},
        demo,
        protocol=PROTOCOL,
        n_bootstrap=20,
        run=Run(progress=discard, checkpoint=tmp_path / "kept"),
    )
    assert len(made.outcomes) == len(demo.subjects)
