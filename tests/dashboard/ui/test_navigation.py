"""Opening Analyze while controls are bound to the address, on networks that were really trained."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[3]
ENTRY = ROOT / "dashboard" / "app.py"


def opened(page: str, **link: str | list[str]) -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=120)
    app.run()  # at Overview
    for key, value in link.items():
        app.query_params[key] = value
    if page != "overview":
        app.switch_page(f"../pages/{page}.py")
    app.run()
    assert not app.exception, app.exception
    return app


def open_portrait(app: AppTest) -> AppTest:
    next(b for b in app.button if b.label == "Grace Hopper").click().run()
    assert not app.exception, app.exception
    return app


def test_a_portrait_opens_from_a_link_with_networks_and_keeps_the_panel(networks):
    app = open_portrait(opened("analyze", networks="CNN", panel="Regions"))
    assert app.pills(key="networks").value == ["tiny_cnn"]


def test_a_portrait_opens_from_the_overview(networks):
    open_portrait(opened("overview", networks="CNN"))


def test_a_face_that_is_opened_is_shown_alone_although_all_were_shown_before(networks):
    app = open_portrait(opened("overview"))
    app.switch_page("../pages/overview.py").run()
    next(b for b in app.button if b.label == "Two faces").click().run()
    app.segmented_control(key="show").set_value("All faces").run()
    app.switch_page("../pages/overview.py").run()
    open_portrait(app)
    assert app.segmented_control(key="show").value == "One face"


def test_pages_are_opened_in_one_way_only():
    """``st.switch_page`` alone fails as soon as a widget is bound to the address."""
    files = [*ROOT.glob("dashboard/**/*.py"), *ROOT.glob("pages/*.py")]
    assert [f.name for f in files if "st.switch_page(" in f.read_text(encoding="utf-8")] == ["navigation.py"]
