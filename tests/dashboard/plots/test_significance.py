import pytest

from core.evaluation import accuracy, compare, compare_all
from dashboard.plots import significance


@pytest.fixture
def pair(predicted_run):
    """12 images: both correct on 2, only the first on 9, only the second on 1."""
    truth = [0] * 12
    first = predicted_run(truth, [0] * 11 + [1], "first")
    second = predicted_run(truth, [0] * 2 + [1] * 9 + [0], "second")
    return compare(first, second)


def test_the_mark_is_at_the_difference_inside_its_interval(pair, inks):
    figure = significance.differences([pair], ["first − second"], inks)
    mark = figure.data[0]
    assert mark.x[0] == pytest.approx(8 / 12)
    assert mark.x[0] - mark.error_x.arrayminus[0] == pytest.approx(pair.difference.low)
    assert mark.x[0] + mark.error_x.array[0] == pytest.approx(pair.difference.high)
    low, high = figure.layout.xaxis.range
    assert low == -high
    assert high >= pair.difference.high


def test_a_measurable_difference_is_filled_and_a_tie_is_not(predicted_run, pair, inks):
    truth = [0] * 4
    tie = compare(predicted_run(truth, [0, 0, 1, 1], "a"), predicted_run(truth, [1, 1, 0, 0], "b"))
    assert pair.p_value == pytest.approx(22 / 1024)  # 2 * (C(10, 0) + C(10, 1)) / 2 ** 10
    figure = significance.differences([pair, tie], ["one", "two"], inks)
    assert list(figure.data[0].marker.symbol) == ["circle", "circle-open"]


def test_a_tie_is_described_as_no_measurable_difference(predicted_run):
    truth = [0] * 4
    tie = compare(predicted_run(truth, [0, 0, 1, 1], "a"), predicted_run(truth, [1, 1, 0, 0], "b"))
    words = significance.in_words(tie, {"a": "Alpha", "b": "Beta"})
    assert words.startswith("No measurable difference: ")
    assert "100 of 100 such tests" in words
    assert significance.table([tie], {"a": "Alpha", "b": "Beta"})["images for 80 % power"][0] == "not defined"


def test_the_names_of_networks_are_not_changed(pair):
    assert significance.in_words(pair, {"first": "eNet", "second": "My_net (v1)"}).startswith(
        "eNet is more accurate than My_net (v1) by"
    )


def test_an_article_begins_a_sentence_with_a_capital(pair):
    words = significance.in_words(pair, {"first": "the ensemble", "second": "Beta"})
    assert words.startswith("The ensemble is more accurate than Beta by ")
    words = significance.in_words(pair, {"first": "Alpha", "second": "the ensemble"})
    assert words.startswith("Alpha is more accurate than the ensemble by ")


def test_counts_of_images_have_thousands_separators(predicted_run):
    truth = [0] * 3000
    first = compare(predicted_run(truth, truth, "a"), predicted_run(truth, [0] * 1500 + [1] * 1500, "b"))
    row = significance.table([first], {"a": "Alpha", "b": "Beta"}).iloc[0]
    assert (row["only first correct"], row["only second correct"]) == ("1,500", "0")


def test_a_significant_difference_names_the_better_network_and_its_lead(pair):
    words = significance.in_words(pair, {"first": "Alpha", "second": "Beta"})
    assert words.startswith("Alpha is more accurate than Beta by 66.7 points: ")
    assert "2 of 100 such tests" in words


def test_the_table_has_typographic_minus_signs(predicted_run):
    behind = compare(predicted_run([0] * 4, [1, 1, 0, 0], "b"), predicted_run([0] * 4, [0] * 4, "a"))
    shown = significance.table([behind], {"a": "Alpha", "b": "Beta"})["accuracy difference"][0]
    assert shown.startswith("−0.500 (−")
    assert "-" not in shown


def test_the_correction_for_several_pairs_is_stated(predicted_run):
    truth = [0] * 12
    runs = [predicted_run(truth, [0] * k + [1] * (12 - k), f"n{k}") for k in (12, 6, 5)]
    pairs = compare_all(runs)
    assert "corrected for 3 pairs, p = 0.0" in significance.in_words(pairs[0], {}, pairs=3)


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.0000001, "fewer than 1 of 1,000 such tests"),
        (0.004, "4 of 1,000 such tests"),
        (0.034, "3 of 100 such tests"),
        (0.5, "50 of 100 such tests"),
    ],
)
def test_a_p_value_in_words(p, words):
    assert significance.odds(p) == words


def test_the_file_has_every_count(pair):
    row = significance.numbers([pair]).iloc[0]
    assert (row.both_right, row.first_only, row.second_only, row.both_wrong) == (2, 9, 1, 0)
    assert row.images == 12


@pytest.fixture
def runs_of_60(predicted_run):
    """Networks with 60, 58, 20 and 15 of 60 images correct, and an ensemble like the first."""
    truth = [0] * 60
    correct = {"best": 60, "tied": 58, "worse": 20, "worst": 15, "mean": 60}
    return {m: predicted_run(truth, [0] * n + [1] * (60 - n), m) for m, n in correct.items()}


def headline(runs, ensemble_id=None):
    accuracies = {m: accuracy(run) for m, run in runs.items()}
    names = {m: m.capitalize() for m in runs}
    return significance.headline(compare_all(list(runs.values())), accuracies, names, ensemble_id)


def test_the_headline_names_the_best_network_and_what_is_measurable(runs_of_60):
    del runs_of_60["mean"], runs_of_60["worst"]
    text = headline(runs_of_60)
    assert text.startswith("Best is the most accurate network (1.000")
    assert text.endswith("measurably better than Worse, with no measurable difference from Tied.")


def test_the_headline_of_a_tie_names_no_better_network(runs_of_60):
    text = headline({m: runs_of_60[m] for m in ("best", "tied")})
    assert text.startswith("No measurable difference in accuracy between Best and Tied; Best has the highest value")


def test_the_headline_compares_the_ensemble_with_the_best_network(runs_of_60):
    assert "There is no measurable difference between the ensemble" in headline(runs_of_60, "mean")
    runs = {m: runs_of_60[m] for m in ("worse", "worst", "mean")}
    assert headline(runs, "mean").endswith("The ensemble (1.000 (0.940 to 1.000)) is measurably better than Worse.")


def test_the_headline_of_one_network_asks_for_another(runs_of_60):
    assert "needs a second network" in headline({"best": runs_of_60["best"]})


def test_the_table_names_the_more_accurate_network_of_a_measurable_pair(pair, predicted_run):
    tie = compare(predicted_run([0] * 4, [0, 0, 1, 1], "a"), predicted_run([0] * 4, [1, 1, 0, 0], "b"))
    table = significance.table([pair, tie], {"first": "First", "second": "Second", "a": "Alpha", "b": "Beta"})
    assert list(table["more accurate"]) == ["First", "not measurable"]


def test_many_pairs_are_counted_instead_of_described_one_by_one(predicted_run):
    correct = {"a": 60, "b": 59, "c": 20, "d": 19, "e": 18}
    pairs = compare_all([predicted_run([0] * 60, [0] * n + [1] * (60 - n), m) for m, n in correct.items()])
    names = {m: m.upper() for m in correct}
    few = [p for p in pairs if "e" not in (p.first, p.second)]
    assert [s.split(":")[0] for s in significance.sentences(few, names, names)][:2] == ["A and B", "A and C"]
    assert significance.sentences(pairs, names, names) == ("6 of 10 pairs have a measurable difference.",)
