import dataclasses
import errno
import os
import shutil

import pytest

from core.checkpoints import list_checkpoints, load_checkpoint, publishing, save_card
from core.errors import CheckpointError
from tests.kills import kills_at_every_write

NAME = "tiny_cnn"


def files(root):
    return {p.name: p.read_bytes() for p in (root / NAME).iterdir()}


def copy(source, target, title):
    """Write the files of ``source`` into the folder ``target``, under another title."""
    for path in source.path.iterdir():
        shutil.copy(path, target.path)
    save_card(dataclasses.replace(source.card, title=title), target.path)


def publish(root, source, title, spoil=lambda _: None):
    with publishing(root, NAME) as folder:
        copy(source, folder, title)
        spoil(folder)


@pytest.fixture
def root(checkpoint, tmp_path):
    publish(tmp_path / "checkpoints", checkpoint, "before")
    return tmp_path / "checkpoints"


def test_checkpoint_is_replaced_as_a_whole(root, checkpoint):
    (root / NAME / "stale.parquet").write_bytes(b"")
    publish(root, checkpoint, "after")
    assert load_checkpoint(root / NAME).card.title == "after"
    assert not (root / NAME / "stale.parquet").exists()
    assert [p.name for p in root.iterdir()] == [NAME]


@pytest.mark.parametrize("step", [1, 2])
def test_networks_that_are_listed_between_the_steps_of_a_replacement_do_not_disturb_it(
    root, checkpoint, monkeypatch, step
):
    rename, count = type(root).rename, 0

    def listed_before(path, target):
        nonlocal count
        count += 1
        if count == step:
            monkeypatch.undo()
            assert [c.card.title for c in list_checkpoints(root).checkpoints] == ["before"]
        return rename(path, target)

    monkeypatch.setattr(type(root), "rename", listed_before)
    publish(root, checkpoint, "after")
    assert count == step
    assert [c.card.title for c in list_checkpoints(root).checkpoints] == ["after"]
    assert [p.name for p in root.iterdir()] == [NAME]


@pytest.mark.parametrize("damaged", ["weights_path", "card_path"])
def test_incomplete_checkpoint_does_not_replace_the_previous_one(root, checkpoint, damaged):
    before = files(root)
    with pytest.raises(CheckpointError):
        publish(root, checkpoint, "after", lambda folder: getattr(folder, damaged).write_bytes(b"cut"))
    assert files(root) == before
    assert [p.name for p in root.iterdir()] == [NAME]


def test_predictions_that_disagree_with_the_card_do_not_replace_the_previous_checkpoint(root, checkpoint):
    before = files(root)
    run = checkpoint.evaluation("test")
    fewer = run.select(run.image_ids != run.image_ids[0])
    with pytest.raises(CheckpointError, match="35 stored predictions for the test split, expected 36"):
        publish(root, checkpoint, "after", lambda folder: fewer.save(folder.predictions_path("test")))
    assert files(root) == before


def test_full_disk_is_reported_in_one_sentence_and_leaves_the_previous_checkpoint(root, checkpoint, monkeypatch):
    before = files(root)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"No space left on device.*previous checkpoint is unchanged"):
        publish(root, checkpoint, "after")
    assert files(root) == before


def test_name_that_leaves_the_folder_is_refused(root):
    with pytest.raises(CheckpointError, match="would be written outside"), publishing(root, "../escaped"):
        pass
    assert not (root.parent / "escaped").exists()


def test_process_killed_at_any_write_leaves_a_whole_checkpoint(root, checkpoint):
    seen = []
    for _ in kills_at_every_write(lambda: publish(root, checkpoint, "after"), root):
        listing = list_checkpoints(root)
        assert not listing.problems
        (found,) = listing.checkpoints
        found.network()
        assert len(found.evaluation("test")) == 36
        seen.append(found.card.title)
        publish(root, checkpoint, "before")
        assert [p.name for p in root.iterdir()] == [NAME]
    assert len(seen) > 10
    assert set(seen) == {"before", "after"}
