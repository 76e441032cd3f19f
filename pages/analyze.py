"""One photo: its faces, what each network predicts for a face, how sure that is, and what it depends on."""

import streamlit as st

from core.errors import NotFiniteError
from core.images import darkness_hint
from core.inference import PhotoAnalysis
from dashboard.analyze import (
    PANELS,
    SelectedFace,
    downloads,
    face_picker,
    gallery,
    map_options,
    no_face,
    not_finite,
    prediction,
    saliency,
    too_small,
    uncertainty,
)
from dashboard.analyze.photo_analysis import available_analyzer
from dashboard.services import Photo
from dashboard.ui import busy, detector_picker, link_page, links, network_picker, photo_sources, session, theme
from dashboard.ui.messages import show_error, show_warning

links.begin()
photo_sources.open_linked_sample()
session.photo_was_added()  # it is shown here

with st.sidebar:
    chosen_networks = network_picker.pick_networks()
    detector = detector_picker.choose()
    with link_page.messages_in(st.container()), st.expander("Options", icon=":material/tune:"):
        required_accuracy, views = uncertainty.choose_criteria()

st.title("Analyze", anchor=False)
st.markdown("Which expression each network predicts for a face, how sure the prediction is, and what it depends on.")
session.draw_refused()
if too_many := session.too_many():
    show_warning(too_many, icon="photo_library")

photo = session.chosen_photo()
if photo is None:
    photo_sources.draw_start()
    busy.end_page()
photo_sources.show_in_link(photo)

networks = network_picker.load(chosen_networks)
if not networks:
    network_picker.ask_for_networks()
    photo_sources.photo_input()
    busy.end_page()
inks = theme.ink()
names, styles = network_picker.titles(chosen_networks), network_picker.styles(chosen_networks, inks)
analyzer = available_analyzer(networks, detector)


def analyzed(photo: Photo) -> PhotoAnalysis:
    """The faces of a photo; without any prediction the page ends with a sentence."""
    try:
        return analyzer.analyze(photo)
    except NotFiniteError as error:
        show_error(not_finite(error.model_ids, names))
        photo_sources.photo_input()
        busy.end_page()


def select(photo: Photo, analysis: PhotoAnalysis, number: int) -> SelectedFace:
    """One face, with the networks that predict it and the options of the page."""
    predicting = analysis.predicting(networks)
    return SelectedFace(photo, analysis, number, predicting, names, styles, inks, required_accuracy, views)


stored = session.photos()
# On a phone the cells follow each other: photo, answer, source. Side by side, the answer spans so many rows that those
# of the photo and of the source keep the heights of their content.
with st.grid(2, min_column_width=360, gap=(None, 20)) as grid:
    photo_cell, answer_cell, source_cell = grid.cell(), grid.cell(row_span=16), grid.cell()
if len(stored) > 1 or len(analyzed(photo).faces) > 1:
    with photo_cell:
        layouts = {gallery.ONE: gallery.ONE, gallery.ALL: gallery.ALL}
        show = links.choice(st.segmented_control, "Show", layouts, key="show", default=gallery.ONE)
        if len(stored) > 1 and show == gallery.ONE:
            face_picker.draw_photo_strip(photo)
    if show == gallery.ALL:
        gallery.draw(gallery.Gallery(stored, analyzer, select, names))
        photo_sources.photo_input()
        busy.end_page()

analysis = analyzed(photo)
if analysis.left_out:
    show_warning(f"{not_finite(analysis.left_out, names)} Continuing with the other networks.")
if analysis.rotation_deg and session.rotation_deg(photo.digest) is None:
    st.info(
        f"This photo was rotated by {analysis.rotation_deg}° clockwise, because its faces were sideways.",
        icon=":material/rotate_right:",
    )
if hint := darkness_hint(analysis.image):
    st.info(hint, icon=":material/brightness_low:")
if not analysis.faces:
    no_face.draw(photo, analysis)
    photo_sources.photo_input()
    busy.end_page()

with photo_cell:
    number = face_picker.pick_face(photo, analysis, analyzer.detected(photo))
with source_cell:
    st.space("small")
    photo_sources.photo_input()
face = uncertainty.with_possible_views(select(photo, analysis, number))
with answer_cell:
    if few_pixels := too_small(face.found.face.box.side):
        show_warning(few_pixels, icon="photo_size_select_small")
    prediction.draw_first(face)
    class_name = map_options.choose_class(face)
    maps_container = st.container()
    options = map_options.choose_options(face, class_name)
    with maps_container:
        saliency.draw_over_photo(face, options)
    prediction.draw_others(face)

# Not a fragment: Streamlit does not interrupt the run of a fragment for a click inside of it, so "Stop" would only take
# effect when the work is done.
for tab, draw in zip(links.tabs(list(PANELS), key="panel"), PANELS.values(), strict=True):
    if tab.open:
        with tab:
            draw(face, options)
downloads.draw(face, options)
