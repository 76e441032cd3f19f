"""Analyze in a browser: sliders, the report, clicks in the photo, portraits, pasting and the webcam."""

import base64
import io
import re
import time

import pytest
from PIL import Image, ImageOps
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from core import checkpoints
from core.sample_photos import sample_photos
from tests.browser.reading import page_text, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]

NUMBERS = """
const marks = document.querySelectorAll('[class*="st-key-what-if-predictions"] .rows [title]');
return marks.length ? [...marks].map(mark => mark.title).join() : null;
"""


IS_IDLE = "return document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


def opened(browser, address, tmp_path, query: str, sample: str = "grace_hopper") -> None:
    path = tmp_path / f"{sample}.jpg"
    path.write_bytes(sample_photos()[sample].data)
    browser.get(f"{address}/analyze?{query}")
    wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, 'input[type="file"]'), "the uploader").send_keys(
        str(path)
    )
    wait_for(browser, lambda b: "after temperature scaling" in page_text(b), "the prediction")


def test_a_slider_moves_the_probabilities_of_all_networks(browser, address, tmp_path):
    opened(browser, address, tmp_path, "panel=What+if")
    wait_for(browser, lambda b: "No change: " in page_text(b), "the panel")
    before = wait_for(browser, lambda b: b.execute_script(NUMBERS), "the chart")
    # The sliders are drawn after the predictions.
    slider = wait_for(
        browser, lambda b: b.find_element(By.CSS_SELECTOR, '.st-key-contrast input[type="range"]'), "the slider"
    )
    browser.execute_script("arguments[0].focus()", slider)
    slider.send_keys(Keys.ARROW_RIGHT * 5)
    after = wait_for(
        browser, lambda b: (now := b.execute_script(NUMBERS)) is not None and now != before and now, "other numbers"
    )
    assert after != before
    wait_for(browser, lambda b: "No change: " not in page_text(b), "the sentence")
    assert "contrast=1.5" in browser.current_url
    assert "Traceback" not in page_text(browser)


def test_slow_work_in_a_panel_stops_at_once_and_can_be_resumed(browser, address, tmp_path):
    opened(browser, address, tmp_path, "panel=Methods&methods=Occlusion+(slow)&methods=Ablation-CAM+(slow)")

    def click(label: str) -> None:
        found = wait_for(
            browser,
            lambda b: [e for e in b.find_elements(By.CSS_SELECTOR, "button, [role=tab]") if e.text.endswith(label)],
            label,
        )
        browser.execute_script("arguments[0].click()", found[0])

    click("Stop")
    wait_for(browser, lambda b: "Stopped: " in page_text(b), "the message")  # without a stop there is none
    click("Resume")
    click("Saliency")  # another panel ends the work too
    wait_for(browser, lambda b: "Stopped: " not in page_text(b) and b.execute_script(IS_IDLE), "the panel")
    assert "panel=Saliency" not in browser.current_url  # the first one is not part of the address
    assert "Traceback" not in page_text(browser)


def test_the_report_is_one_html_file(browser, address, tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    opened(browser, address, tmp_path, "panel=Report")
    button = wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, ".st-key-report button"), "the button")
    browser.execute_script("arguments[0].click()", button)
    report = wait_for(browser, lambda _: next(folder.glob("*.html"), None), "the file")
    deadline = time.monotonic() + 30
    while not report.read_text(encoding="utf-8").rstrip().endswith("</html>") and time.monotonic() < deadline:
        time.sleep(0.2)
    text = report.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    for card in (c.card for c in checkpoints.list_checkpoints().default):
        assert card.weights_sha256 in text
    assert "data:image/png;base64," in text
    assert 'src="http' not in text


def test_a_download_that_is_clicked_during_a_rerun_is_delivered(browser, address, tmp_path):
    folder = tmp_path / "downloads"
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    opened(browser, address, tmp_path, "class=happy")
    wait_for(browser, lambda b: button(b, "Saliency maps (PNG)"), "the button")
    browser.execute_script(
        "for (const text of arguments)"
        "  [...document.querySelectorAll('button')].find(b => b.textContent.trim().endsWith(text)).click();",
        "sad",
        "Saliency maps (PNG)",
    )
    (file,) = wait_for(browser, lambda _: list(folder.glob("*.png")), "the file")
    assert file.stem.endswith(("-happy", "-sad"))  # what the page showed at the click, or what it shows now
    assert Image.open(file).width > 300


def faces_in(browser) -> dict:
    """Of the photo: its size, the width of its column, and the boxes of its faces, which are in a shadow root."""
    script = """
    const place = document.querySelector('[class*="st-key-photo-"]');
    const host = [...place.querySelectorAll("*")].find((element) => element.shadowRoot?.querySelector(".photo"));
    const size = (element) => (({width, height}) => ({width, height}))(element.getBoundingClientRect());
    const photo = host.shadowRoot.querySelector(".photo");
    return {photo: size(photo), window: size(photo.parentElement), column: size(host),
            faces: [...photo.querySelectorAll(".face")], zoom: [...host.shadowRoot.querySelectorAll(".zoom button")]};
    """
    return wait_for(browser, lambda b: b.execute_script(script), "the photo")


def upload(browser, address, path, text: str) -> None:
    browser.get(f"{address}/analyze")
    wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, 'input[type="file"]'), "the uploader").send_keys(
        str(path)
    )
    wait_for(browser, lambda b: text in page_text(b), text)


def test_a_click_on_a_face_in_the_photo_selects_it(browser, address, tmp_path):
    opened(browser, address, tmp_path, "", sample="two_faces")
    wait_for(browser, lambda b: "Face 1 of 2" in page_text(b), "two faces")
    second = faces_in(browser)["faces"][1]
    assert second.get_attribute("aria-label").startswith("Face 2 · ")
    ActionChains(browser).move_to_element(second).click().perform()
    wait_for(browser, lambda b: "Face 2 of 2" in page_text(b), "the second face")
    assert "face=2" in browser.current_url
    wait_for(browser, lambda b: faces_in(b)["faces"][1].get_attribute("aria-pressed") == "true", "its box")


def test_a_wide_photo_uses_its_column_and_a_tall_one_the_height_of_the_window(browser, address, tmp_path):
    portrait = Image.open(io.BytesIO(sample_photos()["grace_hopper"].data))
    tall, wide = tmp_path / "tall.png", tmp_path / "wide.png"
    portrait.crop((100, 0, 400, 600)).save(tall)
    ImageOps.pad(portrait, (1500, 600)).save(wide)
    browser.set_window_size(1920, 1080)
    upload(browser, address, wide, "wide.png · 1500 × 600 px")
    wait_for(browser, lambda b: faces_in(b)["photo"]["width"] > 600, "a wide photo")
    found = faces_in(browser)
    assert found["photo"]["width"] == pytest.approx(found["column"]["width"], abs=2)
    assert found["photo"]["width"] / found["photo"]["height"] == pytest.approx(2.5, rel=0.01)
    upload(browser, address, tall, "tall.png · 300 × 600 px")
    wait_for(browser, lambda b: 500 < faces_in(b)["photo"]["height"] < 1080 - 300, "the height of the photo")


def test_a_photo_with_many_faces_is_zoomed_around_the_selected_one(browser, address, tmp_path):
    portrait = Image.open(io.BytesIO(sample_photos()["grace_hopper"].data)).resize((205, 240))
    group = Image.new("RGB", (8 * 205, 3 * 240))
    for number in range(24):
        group.paste(portrait, (number % 8 * 205, number // 8 * 240))
    group.save(tmp_path / "group.png")
    upload(browser, address, tmp_path / "group.png", "Face 1 of 24")
    wait_for(browser, lambda b: len(faces_in(b)["faces"]) == 24, "the boxes of the faces")
    found = faces_in(browser)
    for _ in range(4):
        browser.execute_script("arguments[0].click()", found["zoom"][0])
    zoomed = faces_in(browser)
    assert zoomed["photo"]["width"] > 4 * found["photo"]["width"]
    assert zoomed["window"]["width"] == pytest.approx(found["window"]["width"], abs=1)
    ActionChains(browser).move_to_element(zoomed["faces"][0]).click().perform()  # it is in view and keeps its size
    assert faces_in(browser)["photo"]["width"] == pytest.approx(zoomed["photo"]["width"], abs=1)
    for _ in range(5):
        browser.execute_script("arguments[0].click()", found["zoom"][1])
    assert faces_in(browser)["photo"]["width"] == pytest.approx(found["photo"]["width"], abs=2)


def button(browser, text: str):
    return wait_for(
        browser, lambda b: next(x for x in b.find_elements(By.TAG_NAME, "button") if x.text.endswith(text)), text
    )


def click(browser, element) -> None:
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)


def test_a_portrait_opens_after_a_network_was_deselected(browser, address):
    browser.get(f"{address}/analyze?panel=Regions")
    click(browser, button(browser, "ResNet50"))
    wait_for(browser, lambda b: "networks=" in b.current_url, "the networks in the address")
    picture = wait_for(
        browser, lambda b: b.find_element(By.CSS_SELECTOR, 'img[alt="Portrait: Grace Hopper"]'), "a card"
    )
    click(browser, picture)  # the picture starts it as well as the button
    wait_for(browser, lambda b: "of 2 networks agree" in page_text(b), "the prediction of the other networks")
    wait_for(browser, lambda b: "Mean over FER2013 PrivateTest" in page_text(b), "the panel of the link")
    assert "sample=grace_hopper" in browser.current_url
    assert "encountered an error" not in page_text(browser)


def paste_photo(browser) -> None:
    wait_for(browser, lambda b: b.execute_script("return window.ferscopePhotoInput"), "the script")
    browser.execute_script(
        """
        const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], "pasted.jpg", {type: "image/jpeg"}));
        document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true}));
        """,
        base64.b64encode(sample_photos()["grace_hopper"].data).decode(),
    )


def test_a_pasted_photo_is_analyzed(browser, address):
    browser.get(f"{address}/analyze")
    paste_photo(browser)
    wait_for(browser, lambda b: "pasted.jpg · 512 × 600 px" in page_text(b), "the photo")


def test_a_photo_pasted_into_folder_reaches_neither_its_uploader_nor_the_next_page(browser, address):
    def open_page(name: str, text: str) -> None:
        click(browser, browser.find_element(By.XPATH, f"//a[@data-testid='stTopNavLink'][contains(., '{name}')]"))
        wait_for(browser, lambda b: text in page_text(b) and b.execute_script(IS_IDLE), name)

    browser.get(f"{address}/analyze")
    wait_for(browser, lambda b: "Drop a photo here" in page_text(b), "Analyze")
    open_page("Folder", "Drop photos or a zip of photos here")
    paste_photo(browser)
    time.sleep(1)
    assert "not allowed" not in page_text(browser)
    open_page("Analyze", "Drop a photo here")
    time.sleep(1)
    assert "pasted.jpg" not in page_text(browser)


def test_the_webcam_delivers_its_own_resolution(browser, address):
    """Chromium's fake camera has up to 1280 x 720 px; a widget of 320 px received 280 x 158 of them."""
    browser.get(f"{address}/analyze")
    click(browser, button(browser, "Webcam"))
    take = wait_for(
        browser,
        lambda b: next(x for x in b.find_elements(By.TAG_NAME, "button") if "Take" in x.text and x.is_enabled()),
        "the camera",
    )
    click(browser, take)
    wait_for(browser, lambda b: re.search(r"Webcam snapshot · \d+ × \d+ px", page_text(b)), "the snapshot")
    width, height = re.search(r"Webcam snapshot · (\d+) × (\d+) px", page_text(browser)).groups()
    assert (int(width), int(height)) == (1280, 720)


@pytest.mark.parametrize("page", ["", "compare", "dataset", "about"])
def test_every_page_fits_a_phone_and_requests_nothing_from_another_host(browser, address, page):
    """The requests are checked after every test of a browser."""
    phone = {"width": 420, "height": 860, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(f"{address}/{page}")
    wait_for(browser, lambda b: b.find_element(By.TAG_NAME, "h1").text, "the title")
    wait_for(browser, lambda b: b.execute_script(IS_IDLE), "the page")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 420


def test_on_a_phone_the_answer_comes_before_the_uploader(browser, address):
    phone = {"width": 420, "height": 860, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(f"{address}/analyze?sample=grace_hopper")
    wait_for(browser, lambda b: "after temperature scaling" in page_text(b), "the prediction")
    wait_for(browser, lambda b: len(b.find_elements(By.CSS_SELECTOR, 'img[alt^="Saliency of"]')) > 2, "the maps")
    selectors = ('[class*="st-key-photo-"]', "h2", 'img[alt^="Saliency of"]', '[data-testid="stFileUploader"]')
    tops = [browser.find_element(By.CSS_SELECTOR, selector).rect["y"] for selector in selectors]
    assert tops == sorted(tops)


def test_forgetting_clears_the_uploader_and_a_reload_reports_the_lost_photo(browser, address, tmp_path):
    opened(browser, address, tmp_path, "")
    wait_for(browser, lambda b: "own_photo=yes" in b.current_url, "the note in the address")
    browser.refresh()
    wait_for(browser, lambda b: "This address belongs to an uploaded photo" in page_text(b), "the message")
    browser.get(f"{address}/analyze")
    opened(browser, address, tmp_path, "")
    click(browser, button(browser, "Forget all photos"))
    wait_for(browser, lambda b: "Or start with a portrait" in page_text(b), "the start")
    assert "grace_hopper.jpg" not in page_text(browser)


def test_figures_follow_a_change_of_the_theme(browser, address, tmp_path):
    def use(theme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": theme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    color = "return document.querySelector('.js-plotly-plot .ytick text')?.style.fill"
    try:
        use("light")
        opened(browser, address, tmp_path, "")
        before = wait_for(browser, lambda b: b.execute_script(color), "the chart")
        use("dark")
        wait_for(browser, lambda b: b.execute_script(color) not in (None, before), "the chart in other colors")
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
