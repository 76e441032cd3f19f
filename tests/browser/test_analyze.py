"""Analyze in a browser: a slider moves the probabilities, the report is a file, a face in the photo is clicked."""

import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from core import checkpoints
from core.sample_photos import sample_photos

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]

NUMBERS = """
const marks = document.querySelectorAll('.st-key-what-if-answers .rows [title]');
return marks.length ? [...marks].map(mark => mark.title).join() : null;
"""


def wait_for(browser, condition, what, seconds=90):
    return WebDriverWait(browser, seconds, ignored_exceptions=(Exception,)).until(condition, f"waited for {what}")


def page_text(browser) -> str:
    return browser.find_element(By.TAG_NAME, "body").text


def opened(browser, address, tmp_path, query: str, sample: str = "grace_hopper") -> None:
    path = tmp_path / f"{sample}.jpg"
    path.write_bytes(sample_photos()[sample].data)
    browser.get(f"{address}/analyze?{query}")
    wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, 'input[type="file"]'), "the uploader").send_keys(
        str(path)
    )
    wait_for(browser, lambda b: "etworks say" in page_text(b) or "etwork says" in page_text(b), "the answer")


def test_a_slider_moves_the_probabilities_of_all_networks(browser, address, tmp_path):
    opened(browser, address, tmp_path, "panel=What+if")
    wait_for(browser, lambda b: "Nothing is changed" in page_text(b), "the panel")
    before = wait_for(browser, lambda b: b.execute_script(NUMBERS), "the chart")
    # The sliders are drawn after the answers.
    slider = wait_for(
        browser, lambda b: b.find_element(By.CSS_SELECTOR, '.st-key-contrast input[type="range"]'), "the slider"
    )
    browser.execute_script("arguments[0].focus()", slider)
    slider.send_keys(Keys.ARROW_RIGHT * 5)
    after = wait_for(
        browser, lambda b: (now := b.execute_script(NUMBERS)) is not None and now != before and now, "other numbers"
    )
    assert after != before
    wait_for(browser, lambda b: "Nothing is changed" not in page_text(b), "the sentence")
    assert "contrast=1.5" in browser.current_url
    assert "Traceback" not in page_text(browser)


def test_the_report_comes_as_one_html_file(browser, address, tmp_path):
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
    for card in (c.card for c in checkpoints.list_checkpoints().checkpoints):
        assert card.weights_sha256 in text
    assert "data:image/png;base64," in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_a_click_on_a_face_in_the_photo_chooses_it(browser, address, tmp_path):
    opened(browser, address, tmp_path, "", sample="two_faces")
    wait_for(browser, lambda b: "Face 1 of 2" in page_text(b), "two faces")
    photo = wait_for(
        browser, lambda b: b.find_element(By.CSS_SELECTOR, '[class*="st-key-photo-face"] .nsewdrag'), "the photo"
    )
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", photo)

    def click(_browser) -> bool:
        marks = browser.find_elements(By.CSS_SELECTOR, '[class*="st-key-photo-face"] .points path')
        box, frame = marks[1].rect, photo.rect
        right = box["x"] + box["width"] / 2 - (frame["x"] + frame["width"] / 2)
        down = box["y"] + box["height"] / 2 - (frame["y"] + frame["height"] / 2)
        ActionChains(browser).move_to_element_with_offset(photo, int(right), int(down)).pause(0.5).click().perform()
        WebDriverWait(browser, 8).until(lambda b: "Face 2 of 2" in page_text(b))
        return True

    wait_for(browser, click, "the second face")
    assert "face=2" in browser.current_url
