"""Many photos: every face in a table, and how the predicted expressions are distributed."""

import streamlit as st

from core.batch.scorer import Preparation, Scorer, thresholds
from core.errors import BatchError, DetectorUnavailableError
from core.inference import WHOLE_IMAGE
from dashboard import services
from dashboard.folder import batch_results, source_choice
from dashboard.folder.session_batch import SessionBatch
from dashboard.ui import detector_picker, link_page, links, network_picker, required_accuracy
from dashboard.ui.messages import show_error
from dashboard.ui.session import BATCH

with st.sidebar:
    chosen = network_picker.pick_networks()
    detector = detector_picker.choose()
    with link_page.messages_in(st.container()), st.expander("Options", icon=":material/tune:"):
        accuracy = required_accuracy.choose()
        whole_image = links.toggle(
            "Without face detection",
            key="folder_whole",
            help="Use the central square of each photo as its face instead of detecting faces.",
        )
request = (
    tuple((c.card.run_id, c.card.weights_sha256) for c in chosen),
    WHOLE_IMAGE if whole_image else detector,
    accuracy,
)

st.title("Folder", anchor=False)
st.markdown("Which expressions the networks predict in many photos, and how they are distributed.")
started = None
if chosen:
    with st.expander("Choose photos", expanded=BATCH not in st.session_state, icon=":material/photo_library:"):
        started = source_choice.choose()
else:
    network_picker.ask_for_networks()
if started is not None and (networks := network_picker.load(chosen)):
    name, source = started
    loaded = [c for c in chosen if c.card.run_id in {n.model_id for n in networks}]
    try:
        preparation = Preparation(
            tuple(n.card for n in networks), services.detector(detector).name, whole_image, with_thumbnails=True
        )
        notes: list[str] = []
        scorer = Scorer(networks, thresholds(loaded, accuracy, report=notes.append))
        batch = SessionBatch(name, source, scorer, preparation, request, notes)
    except (BatchError, DetectorUnavailableError) as error:
        show_error(error)
    else:
        st.session_state[BATCH] = batch  # the previous one ends when nothing refers to it
        batch.start()
        st.rerun()  # which folds the choice of photos
if BATCH in st.session_state:
    if chosen and st.session_state[BATCH].request != request:
        st.caption(
            "The networks or the options were changed after this analysis. Choose the photos again to analyze them "
            "with the new settings."
        )
    batch_results.draw(st.session_state[BATCH])
