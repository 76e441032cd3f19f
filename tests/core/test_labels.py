import pytest

from core.errors import LabelError
from core.labels import AFFECTNET8, FER7, FERPLUS8, PAIN6, LabelSet, groups_by_classes, parse_labels


def test_label_orders_are_those_of_the_data_sets():
    assert FER7.classes == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert FERPLUS8.classes == ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
    assert AFFECTNET8.classes == ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
    assert PAIN6.classes == tuple(sorted(PAIN6.classes))


def test_synonyms_find_their_class():
    assert FER7.index("Happiness") == FER7.index("happy") == 3
    assert FERPLUS8.index(" ANGER ") == 4


def test_a_class_the_set_lacks_is_named_with_those_it_has():
    with pytest.raises(LabelError, match=r"FER7 has no class 'contempt'; it has angry, .*neutral"):
        FER7.index("contempt")


def test_maps_between_sets_go_by_name_not_by_position():
    assert FERPLUS8.positions_in(FER7) == (6, 3, 5, 4, 0, 1, 2, None)


def test_labels_are_the_name_of_a_set_or_class_names():
    assert parse_labels("fer7") is parse_labels(" FER7 ") is parse_labels(", ".join(FER7.classes)) is FER7
    assert parse_labels("cat, dog").classes == ("cat", "dog")
    with pytest.raises(LabelError, match=r"must be FER7, FERPLUS8, AFFECTNET8, PAIN6, or class names .*, got 'fer8'"):
        parse_labels("fer8")


@pytest.mark.parametrize("classes", [("one",), ("a", "a"), ("a", " "), ("a", "\udce9")])
def test_impossible_sets_are_refused(classes):
    with pytest.raises(LabelError):
        LabelSet("bad", classes)


def test_a_folder_in_a_known_order_is_recognized():
    assert LabelSet.custom(["anger", "disgust", "fear", "happiness", "pain", "sadness"]) is PAIN6
    assert LabelSet.custom(["cat", "dog"]).name == "custom"


def test_names_with_the_same_classes_form_a_group_and_the_largest_group_is_first() -> None:
    reversed_classes = LabelSet("other", FER7.classes[::-1])
    labels = {"a": FERPLUS8, "b": FER7, "c": reversed_classes, "d": FER7}
    assert groups_by_classes(labels) == (("b", "c", "d"), ("a",))
