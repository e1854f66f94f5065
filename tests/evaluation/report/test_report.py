"""The report: complete, self-contained, in plain words, all or nothing."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from looks import check_words, heat_maps_without_bar, hidden_by_legend
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from hawkeys.datasets import Keystrokes, load_demo
from hawkeys.evaluation import PUBLISHED_COUNTS, Protocol, evaluate
from hawkeys.evaluation.report import pictures
from hawkeys.evaluation.report import write as report
from hawkeys.evaluation.report.exports import REPORT_FILES
from hawkeys.evaluation.report.page import headline
from hawkeys.evaluation.report.pictures import adjacency_of
from hawkeys.evaluation.stages import Representation
from hawkeys.exceptions import InvalidParameterError, OutputError
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import MahalanobisNormed, Manhattan, ScaledManhattan

QUICK = Protocol("quick", n_train=30, n_genuine=20, n_impostor=5, reference="nobody <1999>")
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that tags are balanced and collects what a page loads and says."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.alts, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.loads += [attributes[name] for name in ("src", "href") if name in attributes]
        self.alts += [attributes.get("alt", "")] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


class Band(TransformerMixin, BaseEstimator):
    """Stands in for Hawkes features: two entries of the adjacency."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def fit(self, X, y=None):
        self.names_ = ["adjacency.t.period", "adjacency.period.period"]
        return self

    def transform(self, X):
        return np.asarray(X)[:, [0, 3]]

    def get_feature_names_out(self, input_features=None):
        return np.array(self.names_)


@pytest.fixture(scope="module")
def result(demo):
    verifiers = {
        "raw": ScaledManhattan(),
        "band": make_pipeline(Band(), Manhattan()),
    }
    return evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=50)


@pytest.fixture(scope="module")
def drawn():
    """The figures of the report, by the names of their files."""
    return {}


@pytest.fixture(scope="module")
def told():
    """The progress of the report, call by call."""
    return []


@pytest.fixture(scope="module")
def plain(demo):
    """Without features that have an adjacency."""
    return evaluate({"raw": Manhattan()}, demo, protocol=QUICK, n_bootstrap=10)


@pytest.fixture(scope="module")
def folder(result, drawn, told, tmp_path_factory):
    target = tmp_path_factory.mktemp("report") / "out"
    save = pictures.Gallery.save

    def keep(gallery, figure, name):
        drawn[name] = figure
        return save(gallery, figure, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures.Gallery, "save", keep)
        made = result.report(
            target, command="hawkeys benchmark", progress=lambda *what: told.append(what)
        )
    assert made == target / "report.html"
    return target


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_names_of_all_files_are_known_beforehand(folder):
    """So that a report is not begun over the data that it is made from."""
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names <= set(REPORT_FILES)


def files_of(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


TABLES = [
    "achieved",
    "comparisons_eer",
    "comparisons_miss_rate",
    "costs",
    "operating_point",
    "people",
    "per_subject",
    "rates",
    "sessions",
    "spread",
    "summary",
    "thresholds",
]


def test_files(folder):
    curves = ["det", "det_shared", "det_subjects", "roc", "study_sessions"]
    figures = [*curves, "features_1", "features_2", *(f"adjacency_demo0{k}" for k in range(1, 6))]
    tables = [f"{name}.csv" for name in TABLES]
    tables += [f"{name}.parquet" for name in TABLES]
    single = ["evaluation.json", "main_table.md", "main_table.tex", "report.html", "tables.json"]
    expected = [*single, *tables, *(f"figures/{name}.png" for name in figures)]
    assert files_of(folder) == sorted(expected)


@pytest.mark.usefixtures("folder")
def test_figures_are_plain_and_hide_nothing(drawn):
    assert len(drawn) == 12
    for name, figure in drawn.items():
        check_words(figure)
        assert heat_maps_without_bar(figure) == [], name
    study = [ax for ax in drawn["study_sessions"].axes if ax.get_legend()]
    assert len(study) == 1
    assert hidden_by_legend(study[0]) == set()
    (bar,) = (ax for ax in drawn["adjacency_demo01"].axes if ax.get_label() == "<colorbar>")
    numbers = [text.get_text() for text in bar.get_yticklabels()]
    assert {"0.1", "1"} & set(numbers)


def test_every_table_is_also_json_and_parquet(folder):
    records = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    assert sorted(records) == TABLES
    for name, rows in records.items():
        table = pd.read_csv(folder / f"{name}.csv", dtype={"subject": str})
        assert len(rows) == len(table)
        assert list(rows[0]) == list(table.columns)
        pd.testing.assert_frame_equal(
            pd.read_parquet(folder / f"{name}.parquet"), table, check_dtype=False, rtol=1e-15
        )
        number = table.select_dtypes("number").columns[0]
        assert rows[0][number] == pytest.approx(table[number][0], rel=1e-9)


def test_the_main_table_in_markdown_and_latex(folder, result):
    markdown = (folder / "main_table.md").read_text(encoding="utf-8").splitlines()
    latex = (folder / "main_table.tex").read_text(encoding="utf-8")
    assert markdown[0] == "| verifier | miss at 5 % | miss at 1 % | EER | AUC | zero-miss |"
    assert len(markdown) == 4
    for line in (markdown[2], next(row for row in latex.splitlines() if row.startswith("raw"))):
        mean = f"{result.summary().loc['raw', 'miss_rate']:.3f}".removeprefix("0")
        assert mean in line
    assert r"miss at 5 \%" in latex


def test_one_verifier_and_two_people_make_a_report_without_comparisons(demo, tmp_path):
    two = demo[np.isin(demo.subject, demo.subjects[:2])]
    small = evaluate({"m": Manhattan()}, two, protocol=QUICK, n_bootstrap=10)
    small.report(tmp_path)
    assert not list(tmp_path.glob("comparisons*"))
    assert not (tmp_path / "people.csv").exists()
    text = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "more than chance" not in text
    assert "Subject by subject" in text


def test_tables_hold_the_figures(folder, result):
    read = pd.read_csv(folder / "per_subject.csv")
    pd.testing.assert_frame_equal(read, result.to_frame(), rtol=1e-15, check_dtype=False)
    summary = pd.read_csv(folder / "summary.csv", index_col="verifier")
    pd.testing.assert_frame_equal(summary, result.summary(), rtol=1e-15, check_dtype=False)
    assert len(pd.read_csv(folder / "operating_point.csv")) == 12


def test_manifest_records_the_evaluation(folder, result):
    record = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert sorted(record["files"]) == files_of(folder)
    assert record["protocol"]["n_train"] == 30
    assert record["protocol_text"] == result.protocol_text
    assert record["bootstrap"] == {"n_resamples": 50, "seed": 0, "level": 0.95}
    assert record["data"] == dict(result.provenance)
    assert record["versions"] == dict(result.versions)
    assert record["command"] == "hawkeys benchmark"


def test_page_is_balanced_and_loads_nothing(page):
    assert page.open == []
    assert page.loads
    assert all(load.startswith("data:image/png;base64,") for load in page.loads)


def test_page_embeds_the_figures_with_words(page, folder):
    embedded = {base64.b64decode(load.split(",", 1)[1]) for load in page.loads}
    assert embedded == {path.read_bytes() for path in folder.rglob("*.png")}
    assert len(page.alts) == len(page.loads)
    assert all(len(alt) > 10 for alt in page.alts)


def test_page_says_what_a_reader_needs(page, result):
    for words in (
        result.protocol_text,
        result.notice,
        "What was asked",
        "Lower is better, except for the AUC",
        "95 % bootstrap interval",
        "false negatives, FN",
        "zero-effort",
        "presentation attack",
        "one and the same text",
        "False alarm",
        "Equal-error rate (EER)",
        result.provenance["sha256"],
        result.versions["numpy"],
        "hawkeys benchmark",
        "ScaledManhattan()",
        "6 subjects are a small sample of people, and intervals from so few are too narrow",
        "nobody <1999>",
    ):
        assert words in page.text, words
    assert "FAR" not in page.text


def test_page_shows_the_numbers(page, result):
    for name, row in result.summary().iterrows():
        cells = [f"{100 * row['miss_rate']:.1f} %", f"{100 * row['eer']:.1f} %"]
        ends = [f"{100 * row[f'miss_rate_{end}']:.1f}" for end in ("lower", "upper")]
        assert f"{name} {cells[0]} {ends[0]} to {ends[1]} % {cells[1]}" in page.text
    counts = result.operating_point().query("subject == 'demo01'")
    values = counts[["false_negatives", "false_positives"]].to_numpy().ravel()
    assert f"demo01 {' '.join(map(str, values))}" in page.text
    assert "out of 20 25 20 25" in page.text


def test_headline_names_best_and_worst():
    columns = {"miss_rate": [0.3, 0.1], "n_subjects": [5, 5]}
    columns |= {"miss_rate_lower": [0.2, 0.05], "miss_rate_upper": [0.4, 0.15]}
    summary = pd.DataFrame(columns, index=["poor", "good"])
    assert headline(summary, 0.05) == (
        "At thresholds that reject at most 5 % of the genuine samples, good accepted 10.0 % of "
        "the impostor samples on average over 5 subjects (interval 5.0 % to 15.0 %), the fewest "
        "of 2 verifiers; poor, the most: 30.0 %."
    )
    assert headline(summary[:1], 0.05).endswith("(interval 20.0 % to 40.0 %).")


@pytest.fixture(scope="module")
def written_twice(plain, folder, tmp_path_factory):
    """The folder of a second report over the first."""
    target = tmp_path_factory.mktemp("twice")
    shutil.copytree(folder, target, dirs_exist_ok=True)
    (target / "mine.txt").write_text("mine")
    plain.report(target)
    return target


def test_no_adjacency_section_without_adjacency_features(written_twice):
    text = (written_twice / "report.html").read_text(encoding="utf-8")
    assert "adjacency" not in text.lower()
    assert not [name for name in files_of(written_twice) if "adjacency" in name]


def test_adjacency_is_put_back_with_targets_as_rows():
    names = ("baseline.a", "adjacency.a.a", "adjacency.b.a", "adjacency.b.b")
    features = Representation((), np.array([[9.0, 1.0, 2.0, 3.0]]), names)
    matrix = adjacency_of(features, ("a", "b"))
    np.testing.assert_array_equal(matrix, [[[1.0, np.nan], [2.0, 3.0]]])
    published = Representation((HawkesFeatures(column_factor=True),), features.values, names)
    matrix = adjacency_of(published, ("a", "b"))
    np.testing.assert_array_equal(matrix, [[[1.0, np.nan], [2.0, 6.0]]])
    assert adjacency_of(Representation((), np.ones((1, 1)), ("H.a",)), ("a",)) is None


def test_adjacency_of_hawkes_features_is_that_of_the_fit(demo):
    step = HawkesFeatures(method="map", n_bands=20)
    frame = demo[:3].timings()
    values = step.fit_transform(frame)
    names = tuple(step.get_feature_names_out())
    matrix = adjacency_of(Representation((step,), values, names), demo.keys)
    below = np.tril_indices(len(demo.keys))
    np.testing.assert_array_equal(
        matrix[:, below[0], below[1]], step.parameters(frame)[1][:, below[0], below[1]]
    )


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(("n_subjects", "folded"), [(12, False), (13, True)])
def test_long_tables_are_folded(tmp_path, n_subjects, folded):
    data = load_demo(n_subjects=n_subjects, n_sessions=1)
    result = evaluate({"raw": Manhattan()}, data, protocol=QUICK, n_bootstrap=10)
    html = result.report(tmp_path).read_text(encoding="utf-8")
    assert ("<details>" in html) is folded
    assert Page(html).open == []


def test_writing_again_replaces_and_removes(folder, written_twice):
    assert "figures/features_2.png" in files_of(folder)
    assert "figures/features_2.png" not in files_of(written_twice)
    assert "figures/det.png" in files_of(written_twice)
    assert "mine.txt" in files_of(written_twice)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("No space left on device")])
def test_an_interruption_leaves_nothing(result, tmp_path, monkeypatch, error):
    """After the figures of curves; the others would be as many files more."""
    written = []

    def stop(*args):
        written.extend(path.name for path in tmp_path.rglob("*.png"))
        raise error

    for name in ("study_pictures", "adjacency_pictures", "embedding_pictures"):
        monkeypatch.setattr(report, name, lambda *_: [])
    monkeypatch.setattr(report, "_write_manifest", stop)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        result.report(tmp_path / "out")
    assert "det.png" in written
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(result, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="cannot write to"):
        result.report(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.usefixtures("folder")
def test_progress(told):
    assert told == [("Drawing figures", done, 4) for done in range(5)]


def test_template_ships_with_the_package():
    from importlib.resources import files

    template = files("hawkeys.evaluation") / "report" / "report.html.jinja"
    assert not re.search(r"https?://(?!www\.w3\.org)", template.read_text(encoding="utf-8"))


def test_thresholds_subjects_and_costs_are_shown(page, result):
    for words in (
        "What a threshold set beforehand achieves",
        "Which differences are more than chance",
        "How much it depends on the subject",
        "raw - band",
        "Time and size",
        *result.summary().index,
        *{outcome.subject for outcome in result.outcomes},
    ):
        assert words in page.text


@pytest.mark.usefixtures("no_pictures")
def test_published_figures_stand_beside_those_of_their_protocol(demo, tmp_path):
    verifiers = {"scaled-manhattan": ScaledManhattan(), "mahalanobis-normed": MahalanobisNormed()}
    small = evaluate(verifiers, demo, protocol="killourhy-maxion", n_bootstrap=10)
    small.report(tmp_path / "km")
    text = Page((tmp_path / "km" / "report.html").read_text(encoding="utf-8")).text
    assert "0.0962 (0.0694)" in text
    assert "does not follow from its description" in text
    table = (tmp_path / "km" / "main_table.md").read_text(encoding="utf-8")
    assert ".110 *" in table
    five = evaluate({"raw-scaled-manhattan": ScaledManhattan()}, demo, protocol="five-subjects",
                    n_bootstrap=10)  # fmt: skip
    five.report(tmp_path / "five")
    text = Page((tmp_path / "five" / "report.html").read_text(encoding="utf-8")).text
    assert "Beside the published figures" not in text
    assert "in the paper" not in text  # it tells of none of these typists


@pytest.mark.usefixtures("no_pictures")
def test_the_counts_of_the_paper_stand_beside_those_of_its_subjects(demo, tmp_path):
    named = np.array([f"s{number:03}" for number in (2, 32, 36, 47, 52, 57)])
    same = Keystrokes.from_timings(
        demo.timings(),
        subject=named[np.searchsorted(demo.subjects, demo.subject)],
        session=demo.session,
        repetition=demo.repetition,
    )
    five = evaluate({"raw-scaled-manhattan": ScaledManhattan(), "other": Manhattan()}, same,
                    protocol="five-subjects", n_bootstrap=10)  # fmt: skip
    page = five.report(tmp_path).read_text(encoding="utf-8")
    counts = five.operating_point().query("subject == 's032'")
    own = [f"{n:,}" for n in counts[["false_negatives", "false_positives"]].to_numpy().ravel()]
    paper = [f"{n:,}" for n in PUBLISHED_COUNTS["raw-scaled-manhattan"]["s032"]]
    text = Page(page).text
    assert "raw-scaled-manhattan, in the paper FN FP FN FP FN FP" in text
    assert f"s032 {' '.join(own + paper)} " in text
    assert "out of 200 1,600 200 1,600 200 1,600" in text


@pytest.mark.usefixtures("no_pictures")
def test_counts_of_many_verifiers_are_split_over_tables_that_fit(demo, tmp_path):
    names = [f"verifier-{number}" for number in range(8)]
    many = evaluate(dict.fromkeys(names, Manhattan()), demo, protocol=QUICK, n_bootstrap=5)
    page = many.report(tmp_path).read_text(encoding="utf-8")
    part = page.split("own threshold</h2>")[1].split("<h2>")[0]
    tables = part.split("<table>")[1:]
    assert [table.count('colspan="2"') for table in tables] == [4, 4]
    assert re.findall(r'colspan="2">([^<]+)', part) == names
    assert all(table.count("<tr><td>demo0") == 6 for table in tables)
    # a header that may not wrap cuts the table off at the right
    assert "th { white-space: normal; }" in page


def test_some_verifiers_of_an_evaluation(result):
    few = result.only(["band"])
    assert list(few.verifiers) == ["band"]
    assert few.to_frame().equals(
        result.to_frame().query("verifier == 'band'").reset_index(drop=True)
    )
    with pytest.raises(InvalidParameterError, match="verifiers must be one of 'raw', 'band'"):
        result.only(["pohmm"])
    with pytest.raises(InvalidParameterError, match="verifiers names none; choose from: raw, band"):
        result.only([])


@pytest.mark.usefixtures("no_pictures")
def test_the_spread_is_that_of_misses_at_the_stated_rate(demo, tmp_path):
    made = evaluate({"raw": Manhattan()}, demo, protocol=QUICK, false_alarm=0.2, n_bootstrap=20)
    text = Page(made.report(tmp_path).read_text(encoding="utf-8")).text
    mean = made.summary()["miss_rate"].iloc[0]
    assert abs(mean - made.summary()["achieved_miss"].iloc[0]) > 0.01
    shown = text.split("How much it depends on the subject")[1]
    assert f"(mean) raw {100 * mean:.1f} %" in shown
    spread = pd.read_csv(tmp_path / "spread.csv").set_index("metric")["mean"]
    assert spread["miss_at_20"] == pytest.approx(mean, rel=1e-12)


def test_names_that_are_no_file_names_or_formulas(demo, tmp_path):
    names = ["../a/b", "<script>x</script>", "$\\no$", "Ann", "ann", "a:b\n"]
    rows = np.concatenate([np.flatnonzero(demo.subject == one)[:50] for one in demo.subjects[:3]])
    for three in (names[:3], names[3:]):
        strange = Keystrokes.from_timings(
            demo.timings().to_numpy()[rows],
            subject=np.repeat(three, 50),
            repetition=np.tile(np.arange(50), 3),
            keys=[f"k{k}$\\x$" for k in range(11)],
        )
        made = evaluate(
            {"$\\v$": make_pipeline(HawkesFeatures(), Manhattan())},
            strange,
            protocol=QUICK,
            n_bootstrap=5,
        )
        page = made.report(tmp_path / str(len(three[0]))).read_text(encoding="utf-8")
        assert "<script>" not in page
        pictures = sorted(path.name for path in tmp_path.rglob("adjacency_*"))
    assert pictures == [f"adjacency_no.{k}.png" for k in (1, 1, 2, 2, 3, 3)]


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("n_subjects", "words"),
    [
        (5, "With 5 subjects this test cannot find a difference: were one verifier better on "
            "every subject, p would still be 0.0625, and 0.188 after the adjustment for 3 pairs. "
            "At least 7 subjects are needed for a p of 0.05."),
        (7, ""),
    ],
)  # fmt: skip
def test_too_few_subjects_for_a_difference_are_said_to_be(tmp_path, n_subjects, words):
    data = load_demo(n_subjects=n_subjects, n_sessions=1)
    verifiers = {
        "one": Manhattan(),
        "two": ScaledManhattan(),
        "three": ScaledManhattan(scale="std"),
    }
    result = evaluate(verifiers, data, protocol=QUICK, n_bootstrap=10)
    text = Page(result.report(tmp_path).read_text(encoding="utf-8")).text
    assert words in text
    assert ("cannot find a difference" in text) is bool(words)
