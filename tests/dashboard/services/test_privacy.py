"""No byte of a photo outlives its session or the button that forgets it."""

import gc
import weakref

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.photo_store import Photo
from core.sample_photos import sample_photos
from dashboard import services

PORTRAIT = sample_photos()["grace_hopper"].data


def arrays_of(value, found=None):
    """Every array in nested results."""
    found = [] if found is None else found
    if isinstance(value, np.ndarray):
        found.append(value)
    elif isinstance(value, dict):
        for part in value.values():
            arrays_of(part, found)
    elif isinstance(value, tuple | list):
        for part in value:
            arrays_of(part, found)
    elif hasattr(value, "__dataclass_fields__"):
        arrays_of(vars(value), found)
    return found


def use(app: AppTest, last: str = "Uncertainty") -> list[weakref.ref]:
    """Open several panels, one of them last; references to every array that was computed from the photo."""
    for panel in ("Saliency", "What if", "Uncertainty", last):
        app.session_state["panel"] = panel
        app.query_params["panel"] = panel
        app.run()
        assert not app.exception
    store = app.session_state["photo_store"]
    results = list(store._results._entries.values())
    references = [weakref.ref(array) for array in arrays_of(results)]
    assert len(references) > 10
    assert any(r().ndim == 3 and r().shape[2] == 3 and r().size > 1e5 for r in references)  # the photo itself
    return references


def photos_in_memory(digest: str) -> list[Photo]:
    gc.collect()
    return [o for o in gc.get_objects() if isinstance(o, Photo) and o.digest == digest]


@pytest.mark.parametrize("last", ["What if", "Uncertainty"])  # the first is a fragment, which keeps what it draws
def test_forgetting_all_photos_frees_every_byte(networks, open_analyze, last):
    app = open_analyze()
    digest = app.session_state["photo_store"].photos[0].digest
    references = use(app, last)
    next(b for b in app.button if b.label == "Forget all photos").click().run()
    assert not app.exception
    assert app.session_state["photo_store"].nbytes == 0
    assert not app.file_uploader[0].value
    gc.collect()
    assert [r().shape for r in references if r() is not None] == []
    assert photos_in_memory(digest) == []
    assert not any(b.label == "Forget all photos" for b in app.button)


def test_the_end_of_a_session_frees_every_byte(networks, open_analyze):
    app = open_analyze()
    digest = app.session_state["photo_store"].photos[0].digest
    references = use(app)
    server = services.runtime()
    del app
    gc.collect()
    assert services.runtime() is server  # the server is still running
    assert [r().shape for r in references if r() is not None] == []
    assert photos_in_memory(digest) == []
