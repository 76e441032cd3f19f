"""Folders, patterns, zips, CSV files and addresses, and what can be wrong with each."""

import contextlib
import io
import os
import sys
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.batch.archive import ArchiveSource
from core.batch.entry import Entry
from core.batch.listing import open_source
from core.errors import BatchError, ImageError
from core.images import MAX_BYTES


def listed(source):
    return [entry.path for entry in source.entries()]


def problems(source):
    """Every file of a source that cannot be read, with the reason."""
    found = {}
    for entry in source.entries():
        try:
            if entry.problem:
                raise ImageError(entry.problem)
            source.read(entry)
        except ImageError as error:
            found[entry.path] = str(error)
    return found


def zipped(method=zipfile.ZIP_DEFLATED, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "photos"
    for name in ("b.JPG", "a/2.png", "a/10.png", ".hidden.jpg", ".git/x.jpg", "__MACOSX/y.jpg", "notes.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def test_a_folder_lists_its_photos_in_a_fixed_order_without_hidden_ones(folder):
    source = open_source(str(folder))
    assert listed(source) == ["a/10.png", "a/2.png", "b.JPG"]
    assert [source.read(entry) for entry in source.entries()] == [b"a/10.png", b"a/2.png", b"b.JPG"]


def test_the_size_of_a_large_file_is_stated_without_reading_it(folder):
    with (folder / "a" / "huge.jpg").open("wb") as file:
        file.truncate(10_000_000_000)
    found = problems(open_source(str(folder)))
    assert found == {"a/huge.jpg": "a photo may be at most 30 MB; this file is 10000.0 MB; save a smaller version"}


def test_a_pattern_lists_what_it_matches(folder):
    assert listed(open_source(f"{folder}/**/*.png")) == ["a/10.png", "a/2.png"]
    assert listed(open_source(f"{folder}/*.txt")) == ["notes.txt"]


def test_a_pattern_below_a_folder_with_brackets_in_its_name(tmp_path):
    trip = tmp_path / "Trip [2024]"
    trip.mkdir()
    (trip / "1.jpg").write_bytes(b"1")
    assert listed(open_source(f"{trip}/*.jpg")) == ["1.jpg"]
    assert listed(open_source(f"{trip}/1.jpg")) == ["1.jpg"]
    assert listed(open_source(f"{tmp_path}/*/1.jpg")) == ["Trip [2024]/1.jpg"]


def test_a_pattern_lists_hidden_files_only_in_a_folder_that_it_names(folder):
    assert listed(open_source(f"{folder}/**/*.[jJ][pP][gG]")) == ["b.JPG"]
    assert listed(open_source(f"{folder}/*/x.jpg")) == []
    assert listed(open_source(f"{folder}/.git/*.jpg")) == ["x.jpg"]


def test_links_out_of_the_folder_pipes_and_vanished_files_are_reported_one_by_one(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"secret")
    (folder / "file.jpg").symlink_to(outside / "secret.jpg")
    (folder / "linked").symlink_to(outside)
    (folder / "inside").symlink_to(folder / "a")  # listed under its own name only
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    (folder / "copy.jpg").symlink_to(folder / "b.JPG")
    os.mkfifo(folder / "pipe.jpg")
    source = open_source(str(folder))
    entries = list(source.entries())
    (folder / "b.JPG").unlink()  # after it was listed
    found = {entry.path: entry.problem for entry in entries if entry.problem}
    for entry in entries:
        if not entry.problem:
            try:
                assert source.read(entry) != b"secret"
            except ImageError as error:
                found[entry.path] = str(error)
    assert set(found) == {"file.jpg", "linked", "loop.jpg", "pipe.jpg", "b.JPG", "copy.jpg"}
    assert f"points outside {folder}" in found["file.jpg"]
    assert f"points outside {folder}" in found["linked"]
    assert found["pipe.jpg"] == "expected a file, found a folder or a device"
    assert "No such file" in found["b.JPG"]


def test_a_csv_lists_paths_and_keeps_its_other_columns(folder):
    table = folder / "list.csv"
    table.write_text("group;Path;age\nA;b.JPG;31\nB;a/2.png;\nonly;two\nC;/nowhere.jpg;7\n")
    source = open_source(str(table))
    assert source.columns == ("group", "age")
    entries = list(source.entries())
    assert [(e.path, e.values) for e in entries] == [
        ("b.JPG", ("A", "31")),
        ("a/2.png", ("B", "")),
        ("list.csv, row 2", ("", "")),
        ("/nowhere.jpg", ("C", "7")),
    ]
    assert source.read(entries[0]) == b"b.JPG"
    found = problems(source)
    assert "expected 3 fields" in found["list.csv, row 2"]
    assert "No such file" in found["/nowhere.jpg"]


def test_a_csv_below_a_limit_reads_nothing_outside_of_it(folder, tmp_path):
    (tmp_path / "other.jpg").write_bytes(b"other")
    (folder / "list.csv").write_text("path\n../other.jpg\nb.JPG\n")
    assert problems(open_source(str(folder / "list.csv"))) == {}
    assert list(problems(open_source(str(folder / "list.csv"), folder))) == ["../other.jpg"]


def test_a_zip_is_read_without_unpacking_and_refuses_bombs_and_names_that_lead_out(tmp_path):
    bomb = bytes(MAX_BYTES + 1)
    data = zipped(
        **{"a/1.jpg": b"one", "bomb.png": bomb, "../up.jpg": b"up", "/root.jpg": b"r", "._x.jpg": b"", "n": b""}
    )
    path = tmp_path / "photos.zip"
    path.write_bytes(data)
    for source in (open_source(str(path)), ArchiveSource.of_bytes(data)):
        assert listed(source) == ["a/1.jpg", "bomb.png", "../up.jpg", "/root.jpg"]
        assert source.read(next(source.entries())) == b"one"
        found = problems(source)
        assert set(found) == {"bomb.png", "../up.jpg", "/root.jpg"}
        assert "unpacks from 0.0 to 30.0 MB" in found["bomb.png"]
        assert "points outside the zip file" in found["../up.jpg"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos.zip"]


def test_a_large_loose_photo_is_not_called_packed():
    source = ArchiveSource.of_photos([("large.png", bytes(MAX_BYTES + 1))])
    assert "this file is 30.0 MB" in problems(source)["large.png"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_files_with_one_name_in_a_zip_the_last_is_read_and_the_others_are_reported():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (("a.jpg", b"first"), ("b.jpg", b"b"), ("a.jpg", b"last")):
            archive.writestr(name, data)
    source = ArchiveSource.of_bytes(buffer.getvalue())
    first, other, last = source.entries()
    assert "another file of this name" in first.problem
    assert [(e.path, e.problem, source.read(e)) for e in (other, last)] == [("b.jpg", "", b"b"), ("a.jpg", "", b"last")]


def test_photos_with_the_same_name_are_packed_under_different_names():
    given = [("a.jpg", b"first"), ("a (2).jpg", b"second"), ("a.jpg", b"third"), ("b", b"no photo"), ("a.jpg", b"4th")]
    source = ArchiveSource.of_photos(given)
    expected = [("a.jpg", b"first"), ("a (2).jpg", b"second"), ("a (3).jpg", b"third"), ("a (4).jpg", b"4th")]
    assert [(e.path, source.read(e)) for e in source.entries()] == expected


def test_a_csv_with_a_column_twice_is_refused(folder):
    for header, repeated in (("path,path,who", "path"), ("path,who,Who", "who")):
        (folder / "list.csv").write_text(f"{header}\nb.JPG,a/2.png,me\n")
        with pytest.raises(BatchError, match=f"has {repeated} several times; rename"):
            open_source(str(folder / "list.csv"))
    (folder / "list.csv").write_text("path,,\nb.JPG,,\n")  # empty columns, as spreadsheets write them
    assert listed(open_source(str(folder / "list.csv"))) == ["b.JPG"]


@given(
    st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    st.integers(0, 400),
    st.binary(max_size=8),
)
@example(zipfile.ZIP_LZMA, 37, b"\x01")
def test_a_damaged_zip_gives_sentences_and_nothing_else(method, position, noise):
    data = zipped(method, **{"a.jpg": bytes(range(256)), "b.jpg": b"b" * 100})
    damaged = data[:position] + noise + data[position + len(noise) :]
    with contextlib.suppress(BatchError):
        problems(ArchiveSource.of_bytes(damaged))


def test_an_address_is_read_through_fsspec(folder):
    source = open_source(f"file://{folder}")
    assert listed(source) == ["a/10.png", "a/2.png", "b.JPG"]
    assert [source.read(entry) for entry in source.entries()] == [b"a/10.png", b"a/2.png", b"b.JPG"]
    with pytest.raises(ImageError, match="cannot be read"):
        source.read(Entry("gone.jpg"))


def test_a_source_that_is_none_is_named(folder):
    with pytest.raises(BatchError, match=r"expected an address such as .*nowhere does not exist"):
        open_source(str(folder / "nowhere"))
    with pytest.raises(BatchError, match=r"expected an address such as .*notes\.txt is none of these"):
        open_source(str(folder / "notes.txt"))
    (folder / "list.csv").write_text("file,age\na.jpg,3\n")
    with pytest.raises(BatchError, match=r"must have a column 'path'.*it has file, age"):
        open_source(str(folder / "list.csv"))
    (folder / "no.zip").write_text("no zip")
    with pytest.raises(BatchError, match=r"no\.zip is damaged or not a zip"):
        open_source(str(folder / "no.zip"))
    (folder / "random.csv").write_bytes(b"\x00\x1b[31m\xff" * 200)
    with pytest.raises(BatchError) as binary:
        open_source(str(folder / "random.csv"))
    assert str(binary.value).isprintable()
    assert len(str(binary.value)) < 300 + len(str(folder))
    with pytest.raises(BatchError, match=r"is a single photo; name its folder"):
        open_source(str(folder / "b.JPG"))
    with pytest.raises(BatchError, match=r"nothing://x cannot be listed: .*expected an address"):
        list(open_source("nothing://x").entries())
    with pytest.raises(BatchError, match="nowhere does not exist"):
        list(open_source(f"file://{folder}/nowhere").entries())
    with pytest.raises(BatchError, match="is a single file"):
        list(open_source(f"file://{folder}/b.JPG").entries())


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python 3.13 reads ** in a name as *")
def test_a_pattern_that_cannot_be_used_is_named(folder):
    with pytest.raises(BatchError, match=r"the pattern \*\*\.jpg cannot be used: .*; write \*\* between slashes"):
        list(open_source(f"{folder}/**.jpg").entries())


def test_a_missing_zip_is_named(folder):
    with pytest.raises(BatchError, match=r"gone\.zip cannot be read: No such file or directory"):
        open_source(str(folder / "gone.zip"))
