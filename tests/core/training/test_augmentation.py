import torch

from core.training.augmentation import augment, mix
from core.training.recipe import Augmentation, Recipe

NOTHING = Augmentation(flip=False, rotate_deg=0, scale=(1, 1), shift=0, brightness=0, contrast=0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_augmentation_without_options_changes_nothing():
    images = torch.rand(5, 1, 16, 16)
    assert torch.allclose(augment(images, NOTHING, generator()), images, atol=1e-5)


def test_flip_alone_gives_the_image_or_its_mirror():
    images = torch.rand(40, 1, 16, 16)
    options = Augmentation(flip=True, rotate_deg=0, scale=(1, 1), shift=0, brightness=0, contrast=0)
    out = augment(images, options, generator())
    same = (out - images).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (out - images.flip(-1)).abs().amax((1, 2, 3)) < 1e-4
    assert (same ^ mirrored).all()
    assert 5 < int(same.sum()) < 35


def test_zoom_enlarges_the_center():
    image = torch.zeros(1, 1, 32, 32)
    image[..., 12:20, 12:20] = 1
    options = Augmentation(flip=False, rotate_deg=0, scale=(2, 2), shift=0, brightness=0, contrast=0)
    assert augment(image, options, generator()).sum() > 3 * image.sum()


def test_values_stay_in_range_and_are_repeatable():
    images = torch.rand(8, 3, 20, 20)
    options = Augmentation(brightness=0.9, contrast=0.9, erase=1.0)
    first, second = augment(images, options, generator(3)), augment(images, options, generator(3))
    assert torch.equal(first, second)
    assert 0 <= first.min() <= first.max() <= 1
    assert not torch.equal(first, augment(images, options, generator(4)))


def test_erasing_hides_a_rectangle_of_the_stated_size():
    options = Augmentation(flip=False, rotate_deg=0, scale=(1, 1), shift=0, brightness=0, contrast=0, erase=1.0)
    out = augment(torch.zeros(200, 1, 48, 48), options, generator())
    hidden = (out == 0.5).float().mean((1, 2, 3))
    assert hidden.min() > 0
    assert 0.05 < hidden.mean() < 0.17


def test_images_can_be_reduced():
    ramp = torch.linspace(0, 1, 48).repeat(48, 1)[None, None]
    small = augment(ramp, NOTHING, generator(), side_px=32)
    assert small.shape == (1, 1, 32, 32)
    assert torch.allclose(small[0, 0, 0], torch.linspace(0, 1, 32), atol=0.02)


def test_cutmix_weights_targets_by_their_share_of_pixels():
    # Every image is one gray of its own, and its target is the same gray.
    grays = torch.linspace(0, 1, 16)
    images = grays.view(-1, 1, 1, 1).expand(-1, 1, 24, 24).clone()
    targets = torch.stack([grays, 1 - grays], dim=1)
    torch.manual_seed(0)
    for seed in range(10):
        mixed, labels = mix(images, targets, Recipe("r", "cnn", cutmix=1.0), generator(seed))
        assert torch.allclose(mixed.mean((1, 2, 3)), labels[:, 0], atol=1e-5)
        assert all(len(image.unique()) <= 2 for image in mixed)


def test_mixup_blends_images_and_targets_by_the_same_share():
    grays = torch.linspace(0, 1, 16)
    images = grays.view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    torch.manual_seed(0)
    mixed, labels = mix(images, torch.stack([grays, 1 - grays], 1), Recipe("r", "cnn", mixup=0.4), generator(1))
    assert torch.allclose(mixed[:, 0, 0, 0], labels[:, 0], atol=1e-5)
    assert not torch.allclose(labels[:, 0], grays)


def test_saturation_changes_colors_but_neither_gray_values_nor_gray_pixels():
    options = Augmentation(flip=False, rotate_deg=0, scale=(1, 1), shift=0, brightness=0, contrast=0, saturation=0.5)
    images = torch.rand(8, 3, 16, 16) * 0.4 + 0.3
    images[:, :, 0] = 0.5
    out = augment(images, options, generator())
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    assert torch.allclose((out * luma).sum(1), (images * luma).sum(1), atol=1e-4)
    assert torch.allclose(out[:, :, 0], images[:, :, 0], atol=1e-4)
    assert not torch.allclose(out, images, atol=0.01)
