"""Moving between pages in a browser: *Back*, titles, the sidebar of a phone, and the address of a corrected link."""

import pytest
from selenium.webdriver.common.by import By

from core import checkpoints
from tests.browser.reading import page_text, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]


def click(browser, selector: str, text: str) -> None:
    def found(b):
        return next(e for e in b.find_elements(By.CSS_SELECTOR, selector) if e.text.strip().endswith(text))

    browser.execute_script("arguments[0].click()", wait_for(browser, found, text))


def wait_until_idle(browser) -> None:
    """Until the page is complete: its address may change before that."""
    state = "return document.querySelector('[data-testid=stApp]').dataset.testScriptState"
    wait_for(browser, lambda b: b.execute_script(state) == "notRunning", "the page")


def open_tabs(browser) -> list[str]:
    return [tab.text for tab in browser.find_elements(By.CSS_SELECTOR, '[role=tab][aria-selected="true"]')]


def test_back_restores_the_panel_and_forward_the_group(browser, address):
    browser.get(f"{address}/analyze?sample=grace_hopper")
    click(browser, "[role=tab]", "Trust")
    wait_for(browser, lambda b: "panel=Trust" in b.current_url, "the panel in the address")
    wait_until_idle(browser)
    click(browser, "[data-testid=stTopNavLink]", "Compare")
    click(browser, "button", "Errors")
    wait_for(browser, lambda b: "group=Errors" in b.current_url, "the group in the address")
    wait_until_idle(browser)
    browser.back()
    wait_for(browser, lambda b: "Trust" in open_tabs(b) and "panel=Trust" in b.current_url, "the panel")
    wait_until_idle(browser)
    assert "sample=grace_hopper" in browser.current_url
    browser.forward()
    wait_for(browser, lambda b: "group=Errors" in b.current_url and "Confusion" in b.page_source, "the group")


def test_each_page_has_its_title(browser, address):
    browser.get(address)
    wait_for(browser, lambda b: b.title == "FERscope", "the title of the first page")
    for page in ("Analyze", "Compare", "About"):
        click(browser, "[data-testid=stTopNavLink]", page)
        wait_for(browser, lambda b, page=page: b.title == f"{page} · FERscope", page)


def test_the_sidebar_of_a_phone_closes_when_a_page_is_opened(browser, address):
    def is_open(b) -> bool:
        return b.find_element(By.CSS_SELECTOR, "[data-testid=stSidebar]").rect["x"] >= 0

    def touch(selector: str, text: str = "") -> None:
        """Click with the pointer, because a click by script does not count as a touch."""

        def found(b):
            element = next(e for e in b.find_elements(By.CSS_SELECTOR, selector) if e.text.strip().endswith(text))
            element.click()
            return True

        wait_for(browser, found, selector)

    phone = {"width": 420, "height": 860, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(f"{address}/about")
    for open_page in (
        lambda: touch("[data-testid=stSidebarNavLink]", "Compare"),
        lambda: browser.get(f"{address}/compare"),  # Streamlit opens the sidebar again
    ):
        wait_for(browser, lambda b: b.find_element(By.TAG_NAME, "h1").text and not is_open(b), "the page alone")
        touch("[data-testid=stExpandSidebarButton]")
        wait_for(browser, is_open, "the sidebar")
        open_page()
        wait_for(browser, lambda b: "/compare" in b.current_url and not is_open(b), "the page without the sidebar")
    wait_for(browser, lambda b: "Which network is better" in b.page_source, "Compare")
    touch("[data-testid=stExpandSidebarButton]")
    touch("[data-testid=stSidebar] button", "ResNet50")
    wait_for(browser, lambda b: "networks=" in b.current_url, "the chosen networks")
    assert is_open(browser)  # choosing a network does not close the sidebar


def test_the_address_of_a_link_with_a_wrong_value_has_the_value_that_is_shown(browser, address):
    browser.get(f"{address}/analyze?sample=grace_hopper&panel=What+if&contrast=9&vary=foo")
    wait_for(browser, lambda b: "Contrast (factor)" in page_text(b), "the sliders")
    wait_for(browser, lambda b: "for Vary, which is not available" in page_text(b), "vary")
    wait_for(browser, lambda b: "contrast=2" in b.current_url and "vary" not in b.current_url, "the address")
    assert "for Contrast (factor); the range is 0.2 to 2." in page_text(browser)
