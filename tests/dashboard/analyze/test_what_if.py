"""What if on networks that were trained on generated pictures: sliders, hidden cells, and what a link contains."""


def test_without_a_change_what_if_shows_the_prediction_as_it_was(networks, open_analyze, page_text):
    app = open_analyze(panel="What if")
    assert "**No change: " in page_text(app)
    assert "Largest change" not in page_text(app)


def test_a_slider_changes_the_prediction_and_undo_restores_it(networks, open_analyze, page_text, labeled):
    app = open_analyze(panel="What if", brightness="-0.5")
    assert app.slider(key="brightness").value == -0.5
    assert "No change:" not in page_text(app)
    assert " · unchanged face " in page_text(app)
    assert "Largest change: " in page_text(app)
    app.selectbox(key="vary").set_value("noise").run()
    labeled(app.button, "Undo all changes").click().run()
    assert not app.exception
    assert app.slider(key="brightness").value == 0
    assert "No change:" in page_text(app)


def test_hiding_everything_is_a_message(networks, open_analyze, page_text, labeled):
    app = open_analyze(panel="What if")
    app.pills(key="hidden_parts").set_value(["left half", "right half"]).run()
    assert not app.exception
    assert "The whole face is hidden; leave at least one cell visible." in page_text(app)
    assert " prediction: " not in page_text(app)
    assert not [b.label for b in app.get("download_button") if "before and after" in b.label]
    app.slider(key="brightness").set_value(0.2).run()
    assert not app.exception
    app.pills(key="hidden_parts").set_value(["mouth"]).run()
    assert "The whole face is hidden" not in page_text(app)
    assert "No change:" not in page_text(app)
    labeled(app.button, "Undo all changes").click().run()
    assert "No change:" in page_text(app)


def test_hidden_cells_and_the_varied_class_are_part_of_the_link(networks, open_analyze, page_text, labeled):
    app = open_analyze(panel="What if", clicked_cells="1-1 6-6", varied_class="striped")
    assert "No change:" not in page_text(app)
    assert "This link requests" not in page_text(app)
    of_panel = [box for box in app.selectbox if box.label == "Class"]
    assert [box.value for box in of_panel] == ["striped"]
    assert app.query_params["clicked_cells"] in ("1-1 6-6", ["1-1 6-6"])
    of_panel[0].set_value("dark").run()
    assert app.query_params["varied_class"] in ("dark", ["dark"])
    labeled(app.button, "Undo all changes").click().run()
    assert "clicked_cells" not in app.query_params
    assert "No change:" in page_text(app)


def test_cells_that_do_not_exist_are_named_and_the_others_hidden(networks, open_analyze, page_text):
    app = open_analyze(panel="What if", clicked_cells="1-1 7-1 left")
    assert (
        "This link requests `7-1` and `left` for *Hide*, which are not available. Available: 1-1 to 6-6. Shown: 1-1."
        in page_text(app)
    )
    assert app.query_params["clicked_cells"] in ("1-1", ["1-1"])
