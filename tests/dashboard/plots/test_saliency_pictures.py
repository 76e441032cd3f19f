import re

import numpy as np
import pytest

from core.explain import ChanceResult, ConfidenceDrop, Explanation, FaithfulnessCurves, RandomizationStep, RoadCurves
from core.inference import LabelGroup, Prediction
from core.labels import LabelSet
from core.probes import PERTURBATION_SETTINGS, FaithfulnessMeasures, MethodAgreement, Sweep, TrustFindings
from dashboard.plots import perturbation, probabilities, trust
from dashboard.plots.dumbbells import SHAPES, dumbbells
from dashboard.style import FAMILIES, LIGHT, OTHERS, class_color, ensemble_style, network_styles

TWO = LabelSet("two", ("happy", "sad"))
STYLES = network_styles({"one": "cnn", "other": "residual_cnn"}, LIGHT)
NAMES = {"one": "One", "other": "Other"}


def group_of(*predictions: Prediction) -> LabelGroup:
    return LabelGroup(predictions[0].labels, {p.model_id: p for p in predictions})


def predicting(model_id: str, *probabilities: float) -> Prediction:
    return Prediction(model_id, TWO, np.log(np.array(probabilities, np.float32)))


def test_the_grid_has_a_marker_per_cell_with_its_row_and_column(inks):
    figure = perturbation.grid(np.zeros((48, 48, 3), np.uint8), inks)
    (cells,) = figure.data
    assert len(cells.x) == 36
    assert (cells.x[8], cells.y[8]) == (2.5, 1.5)
    assert tuple(cells.customdata[8]) == (1, 2)
    assert figure.layout.yaxis.range == (6, 0)  # row 0 is the top, as in the picture


def test_before_and_after_are_in_one_row_hollow_and_filled(inks):
    before, after = group_of(predicting("one", 0.9, 0.1)), group_of(predicting("one", 0.4, 0.6))
    text = dumbbells(before, after, STYLES, NAMES, inks, alt="now highest sad")
    happy, sad = re.findall(r"<span>(?:happy|sad)</span>(<p .*?</p>)", text)
    assert 'title="happy: 0.900, One, unchanged"' in happy
    assert 'title="happy: 0.400, One, changed"' in happy
    assert 'title="sad: 0.600, One, changed"' in sad
    assert re.findall(r"<u style=\"left:([\d.]+)%;width:([\d.]+)%", happy) == [("40.00", "50.00")]
    assert class_color("happy") in happy
    assert class_color("sad") not in happy
    assert re.findall(r'class="m0 (was|now)" style="left:([\d.]+)%', sad) == [("was", "10.00"), ("now", "60.00")]
    assert 'aria-label="now highest sad"' in text


def test_the_legend_names_the_bars_where_there_is_an_ensemble(inks):
    one, two = (
        group_of(predicting("one", 0.9, 0.1)),
        group_of(predicting("one", 0.9, 0.1), predicting("other", 0.5, 0.5)),
    )
    legends = [
        dumbbells(group, group, STYLES, NAMES, inks, alt="").partition('class="legend"')[2] for group in (one, two)
    ]
    assert "bar" not in legends[0]
    assert "bar: ensemble, changed" in legends[1]
    assert "<b " in legends[1]


def test_two_figures_of_one_page_keep_their_own_marks():
    texts = []
    for model_id in STYLES:
        shown = group_of(predicting(model_id, 0.9, 0.1))
        texts.append(dumbbells(shown, shown, STYLES, NAMES, LIGHT, alt=model_id))
    one, other = (text.partition("</style>") for text in texts)
    assert one[0] == other[0]  # what applies to the whole page is the same in both
    assert f"--shape-0: {SHAPES[STYLES['one'].symbol]};" in one[2]
    assert f"--shape-0: {SHAPES[STYLES['other'].symbol]};" in other[2]


@pytest.mark.parametrize("count", [1, 5, 9])
def test_the_marks_of_a_class_stay_in_its_row(count):
    names = {f"n{k}": f"N{k}" for k in range(count)}
    shown = group_of(*(predicting(model_id, 0.9, 0.1) for model_id in names))
    text = dumbbells(shown, shown, dict.fromkeys(names, STYLES["one"]), names, LIGHT, alt="")
    (row_px,) = map(float, re.findall(r"--row: ([\d.]+)px", text))
    tops = [float(top) for top in re.findall(r"--top-\d+: ([\d.]+)px", text)]
    assert len(tops) == count
    assert min(tops) >= 5.5  # half of a mark
    assert max(tops) <= row_px - 5.5


def test_predictions_before_and_after_as_a_table():
    table = perturbation.predictions_table(
        {"one": predicting("one", 0.9, 0.1)}, {"one": predicting("one", 0.4, 0.6)}, NAMES
    )
    assert list(table["face"]) == ["unchanged", "changed"]
    assert list(table["happy"]) == pytest.approx([0.9, 0.4])


def test_names_of_networks_and_classes_cannot_break_the_page(inks):
    odd = LabelSet("odd", ("<b>happy", 'sad"'))
    shown = group_of(Prediction("one", odd, np.zeros(2, np.float32)))
    text = dumbbells(shown, shown, STYLES, {"one": "<script>"}, inks, alt='"')
    assert "<script" not in text
    assert "<b>happy" not in text
    assert "sad&quot;" in text


def test_every_form_of_a_network_has_a_shape():
    assert {symbol for symbol, _ in (*FAMILIES.values(), *OTHERS)} | {ensemble_style(LIGHT).symbol} <= set(SHAPES)


def test_a_curve_has_the_hue_of_its_class_and_the_form_of_its_network(inks):
    swept = {
        m: Sweep(
            PERTURBATION_SETTINGS["blur"], np.array([0.0, 10.0]), (predicting(m, 0.9, 0.1), predicting(m, 0.25, 0.75))
        )
        for m in STYLES
    }
    figure = perturbation.response_curve(swept, "sad", 2.5, STYLES, NAMES, inks)
    one, other = figure.data
    assert one.y == pytest.approx([0.1, 0.75])
    assert one.line.color == other.line.color == class_color("sad")
    assert (one.line.dash, other.line.dash) == ("dot", "dash")
    assert figure.layout.shapes[0].x0 == 2.5
    table = perturbation.response_table(swept, NAMES)
    assert list(table["blur"]) == [0, 10, 0, 10]
    assert list(table["sad"]) == pytest.approx([0.1, 0.75] * 2)


def test_deletion_and_insertion_show_their_areas(inks):
    found = FaithfulnessCurves(np.array([0, 0.5, 1]), np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.8, 0.9]), 0.35, 0.65)
    deletion, insertion = trust.curves(found, class_color("happy"), STYLES["one"], inks).data
    assert (deletion.name, insertion.name) == ("deletion, area 0.350", "insertion, area 0.650")
    assert insertion.line.color == class_color("happy")
    assert insertion.y == pytest.approx([0.1, 0.8, 0.9])


def test_agreement_with_a_constant_map_is_a_dash(inks):
    found = MethodAgreement(("A = B", "C"), np.array([[1.0, np.nan], [np.nan, np.nan]]))
    cells = trust.agreement(found, inks).data[0]
    assert list(cells.text[0]) == ["1.00", "–"]
    assert (cells.zmin, cells.zmax) == (-1, 1)  # zero in the middle


def test_the_chance_test_has_a_verdict_in_words(inks):
    assert trust.chance_verdict(measured(score=0.3).chance) == "better than chance (p = 0.01)"
    assert trust.chance_verdict(measured(score=0.1).chance) == "no better than chance (p = 0.50)"
    row = trust.table({"one": measured(score=0.3)}, NAMES).iloc[0]
    assert row["insertion − deletion, in 6 steps"] == "0.300"
    assert row["drop, highest tenth hidden"] == "0.400"


def test_layers_without_a_map_to_compare_are_named_and_do_not_count(inks):
    some = (RandomizationStep("head", 0.4), RandomizationStep("stage2", 0.2), RandomizationStep("stem", np.nan))
    none = (RandomizationStep("head", np.nan), RandomizationStep("stem", np.nan))
    table = trust.randomization_table({"one": some, "other": none}, NAMES).set_index("network")
    assert list(table.loc["One"]) == ["stage2", "0.200", "stem"]
    assert list(table.loc["Other"]) == ["–", "no map to compare", "head, stem"]
    assert list(trust.randomization_table({"one": some[:2]}, NAMES)["no map to compare"]) == ["–"]
    line, _ = trust.randomization({"one": some, "other": none}, STYLES, NAMES, inks).data
    assert list(line.y[:2]) == [0.4, 0.2]
    assert np.isnan(line.y[2])  # a gap, not a zero
    numbers = trust.numbers({"one": TrustFindings(randomization=some)}, NAMES).set_index("at")
    assert numbers.loc["stem", "measure"].endswith("(no map to compare)")
    assert "no map" not in numbers.loc["stage2", "measure"]


def measured(score: float) -> TrustFindings:
    curves = FaithfulnessCurves(np.zeros(2), np.zeros(2), np.zeros(2), 0.3, 0.6)
    explanation = Explanation("one", "gradcam", 0, "stage 3", np.eye(2, dtype=np.float32), 1.0)
    road = RoadCurves(np.zeros(2), np.zeros(2), np.ones(2))
    measures = FaithfulnessMeasures(explanation, curves, road, ConfidenceDrop(0.9, 0.5, 0.1))
    return TrustFindings(measures, ChanceResult(score, 0.01 if score > 0.2 else 0.5, 0.2, 99))


def test_the_ensemble_is_a_bar_and_each_network_a_marker(inks):
    group = group_of(predicting("one", 0.9, 0.1), predicting("other", 0.5, 0.5))
    bar, *marks = probabilities.probabilities(group, STYLES, NAMES, inks).data
    assert list(bar.x) == pytest.approx([0.7, 0.3])
    shown = [trace for trace in marks if trace.type == "scatter" and trace.x[0] is not None]
    assert [trace.marker.symbol for trace in shown] == ["circle", "square"]
    table = probabilities.table(group, NAMES)
    assert list(table.columns) == ["class", "One", "Other", "ensemble"]
    alone = group_of(predicting("one", 0.9, 0.1))
    assert not [t for t in probabilities.probabilities(alone, STYLES, NAMES, inks).data if t.type == "bar"]
