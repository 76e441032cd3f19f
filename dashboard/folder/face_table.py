"""The faces of a batch in a table with thumbnails; a click on a row opens the photo in Analyze."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd
import streamlit as st

from core.batch.job import given_columns
from core.errors import ImageError
from core.images import data_uri
from core.inference import WHOLE_IMAGE
from dashboard.folder import face_filter
from dashboard.folder.session_batch import ENTRY, THUMBNAIL, SessionBatch
from dashboard.services import Photo
from dashboard.ui import detector_picker, links, navigation, session
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_error

ROWS_PER_PAGE = 50
KEY = "folder_faces"


def draw(batch: SessionBatch, rows: pd.DataFrame) -> None:
    """The filters, and the faces that fit page by page."""
    several = batch.network_count > 1
    chosen = face_filter.choose(
        batch.classes, several_networks=several, with_certainty=bool(rows["sure"].notna().any())
    )
    found = chosen.select(rows)
    faces = int(rows["expression"].notna().sum())
    if not len(found):
        sentence = "No face matches the filters." if faces else batch.no_face_sentence
        st.info(sentence, icon=":material/search_off:")
        return
    page = links.page_number(-(-len(found) // ROWS_PER_PAGE), key="folder_page", of=(id(batch), chosen))
    shown = found.iloc[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
    event = st.dataframe(
        table(batch, shown),
        hide_index=True,
        height="content",
        row_height=56,
        column_config={
            "face": st.column_config.ImageColumn("face", width="small"),
            "confidence": st.column_config.NumberColumn(format="%.3f"),
            "disagreement": st.column_config.NumberColumn("disagreement, bits", format="%.3f"),
        },
        on_select="rerun",
        selection_mode="single-row",
        key=f"{KEY}-{page}",
        alt="Faces with their predicted expressions",
    )
    st.caption(
        f"{len(found):,} of {faces:,} faces. Select a row to open its photo in Analyze. "
        f"Probabilities of {escaped(batch.who)}"
        + ("; disagreement of its networks (Jensen-Shannon divergence)." if several else ".")
    )
    if event.selection.rows:
        open_in_analyze(batch, shown.iloc[event.selection.rows[0]].to_dict())


def table(batch: SessionBatch, rows: pd.DataFrame) -> pd.DataFrame:
    """The faces as they are shown."""
    columns: dict[str, Any] = {
        "face": [_picture(data) for data in rows[THUMBNAIL]],
        "expression": rows["expression"].to_numpy(),
        "confidence": rows["confidence"].to_numpy(),
    }
    if rows["sure"].notna().any():
        columns["prediction"] = ["sure" if sure else "unsure" for sure in rows["sure"]]
    columns["photo"] = rows["path"].to_numpy()
    columns["number"] = rows["face"].astype(int).to_numpy()
    if batch.network_count > 1:
        columns["disagreement"] = rows["disagreement_bits"].to_numpy()
        columns["agreeing"] = [f"{int(n)} of {batch.network_count}" for n in rows["agreeing"]]
    names = given_columns(batch.columns, columns)
    return pd.DataFrame(columns | {new: rows[name].to_numpy() for new, name in zip(names, batch.columns, strict=True)})


def open_in_analyze(batch: SessionBatch, row: dict[Hashable, Any]) -> None:
    """Add the photo of a row to the session's photos and show that face, with the detector of the batch, or the whole
    image if it had none; a photo that is gone is reported."""
    try:
        photo = Photo.of(str(row["path"]), batch.data(int(row[ENTRY])), "folder")
    except ImageError as error:
        show_error(f"{row['path']}: {error.sentence}")
        return
    session.add_photo(photo)
    session.use_whole_image(photo.digest, on=batch.detector == WHOLE_IMAGE)
    session.rotate_automatically(photo.digest)
    if batch.detector != WHOLE_IMAGE:
        detector_picker.request(batch.detector)
    links.begin()
    links.choose_face(photo.digest, int(row["face"]) - 1)
    navigation.open_face()


def _picture(data: bytes | None) -> str | None:
    return None if data is None else data_uri(data, "image/jpeg")
