"""The tables of installed networks on Overview."""

import shutil
from dataclasses import replace

from core.checkpoints import list_checkpoints, load_checkpoint, save_card
from core.labels import LabelSet
from dashboard.overview import networks


def test_the_classes_of_every_label_set_are_listed_once(checkpoint_root, tmp_path):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    (first, *_), second = (
        load_checkpoint(root / "tiny_cnn").card.labels.classes,
        load_checkpoint(root / "tiny_residual"),
    )
    save_card(replace(second.card, labels=LabelSet("custom", ("one", "two"))), second.path)
    (section,) = networks.sections(list_checkpoints(root).checkpoints)
    # Two data sets with classes of their own have the same name.
    assert f"custom, CNN: {first}, " in section.caption
    assert "custom, Residual CNN: one and two." in section.caption
