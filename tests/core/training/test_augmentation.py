import torch

from core.training.augmentation import augment
from core.training.recipe import Augmentation

NOTHING = Augmentation(flip=False, rotate_deg=0, scale=(1, 1), shift=0, brightness=0, contrast=0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_no_knob_changes_nothing():
    images = torch.rand(5, 1, 16, 16)
    assert torch.allclose(augment(images, NOTHING, generator()), images, atol=1e-5)


def test_flip_alone_gives_the_image_or_its_mirror():
    images = torch.rand(40, 1, 16, 16)
    knobs = Augmentation(flip=True, rotate_deg=0, scale=(1, 1), shift=0, brightness=0, contrast=0)
    out = augment(images, knobs, generator())
    same = (out - images).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (out - images.flip(-1)).abs().amax((1, 2, 3)) < 1e-4
    assert (same ^ mirrored).all()
    assert 5 < int(same.sum()) < 35


def test_zoom_enlarges_what_is_in_the_middle():
    image = torch.zeros(1, 1, 32, 32)
    image[..., 12:20, 12:20] = 1
    knobs = Augmentation(flip=False, rotate_deg=0, scale=(2, 2), shift=0, brightness=0, contrast=0)
    assert augment(image, knobs, generator()).sum() > 3 * image.sum()


def test_values_stay_in_range_and_draws_are_repeatable():
    images = torch.rand(8, 3, 20, 20)
    knobs = Augmentation(brightness=0.9, contrast=0.9, erase=1.0)
    first, second = augment(images, knobs, generator(3)), augment(images, knobs, generator(3))
    assert torch.equal(first, second)
    assert 0 <= first.min() <= first.max() <= 1
    assert not torch.equal(first, augment(images, knobs, generator(4)))


def test_erasing_hides_a_part_of_the_stated_size():
    knobs = Augmentation(flip=False, rotate_deg=0, scale=(1, 1), shift=0, brightness=0, contrast=0, erase=1.0)
    out = augment(torch.zeros(200, 1, 48, 48), knobs, generator())
    hidden = (out == 0.5).float().mean((1, 2, 3))
    assert hidden.min() > 0
    assert 0.05 < hidden.mean() < 0.17
