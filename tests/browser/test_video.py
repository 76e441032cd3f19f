"""The Video page in a browser: the sample, a click on its timeline, and a frame opened in Analyze."""

import re

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from core import checkpoints
from core.video.sample_clip import TITLE
from tests.browser.reading import page_text

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]


def wait_for(browser, condition, what, seconds=90):
    return WebDriverWait(browser, seconds, 0.2, ignored_exceptions=(Exception,)).until(condition, f"waited for {what}")


def button(browser, label):
    return next(b for b in browser.find_elements(By.TAG_NAME, "button") if label in b.text)


def shown_time(browser) -> float:
    return float(re.search(r"sample\.mp4 at (\d+\.\d\d) s", page_text(browser)).group(1))


def test_a_click_on_the_timeline_shows_its_picture_which_opens_in_analyze(browser, address):
    browser.get(f"{address}/video?networks=cnn&video_fps=3")
    browser.execute_script("arguments[0].click()", wait_for(browser, lambda b: button(b, TITLE), "the sample"))
    wait_for(browser, lambda b: "frames analyzed in" in page_text(b), "the end of the analysis")
    wait_for(browser, lambda b: shown_time(b) == 0, "the first picture")
    panels = wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .nsewdrag"), "the chart")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", panels[0])
    width = panels[0].size["width"]
    ActionChains(browser).move_to_element_with_offset(panels[0], round(width / 4), 5).perform()
    card = wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, '[aria-label^="Frame at"]'), "the hovered frame")
    assert card.is_displayed()
    assert float(card.get_attribute("aria-label").split()[2]) == pytest.approx(0.75 * 8.9, abs=0.5)
    ActionChains(browser).move_to_element_with_offset(panels[0], round(width / 4), 0).click().perform()
    wait_for(browser, lambda b: shown_time(b) > 0, "the picture of another time")
    assert shown_time(browser) == pytest.approx(0.75 * 8.9, abs=0.5)  # three quarters of the way
    browser.execute_script("arguments[0].click()", button(browser, "Analyze this frame"))
    wait_for(browser, lambda b: "after temperature scaling" in page_text(b), "the prediction in Analyze")
    assert "sample.mp4 at" in page_text(browser)
