from types import SimpleNamespace

import numpy as np

from multisenge_lib.chapters import showcase_images
from multisenge_lib.dataset import TYPOLOGIES, load_selection, read_patch, reclassify


def test_images_of_the_same_land_only(sample_root):
    first, second = list(load_selection(sample_root, sensors=("s2",)).itertuples())[:2]
    patch = read_patch(sample_root, first, ("s2",))
    reference = reclassify(patch.reference, TYPOLOGIES["10c"])
    record = SimpleNamespace(
        metadata=SimpleNamespace(dataset="sample"),
        references={first.patch: reference, second.patch: reference},
    )
    images = showcase_images({"method": record}, sample_root, TYPOLOGIES["10c"])
    assert list(images) == [first.patch]
    np.testing.assert_array_equal(images[first.patch], patch.s2[0])
    record.metadata.dataset = "multisenge"
    assert showcase_images({"method": record}, sample_root, TYPOLOGIES["10c"]) == {}
