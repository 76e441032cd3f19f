"""Moving between pages in a browser: *Back*, the titles of the browser's tab, and the sidebar of a phone."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from core import checkpoints

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]


def wait_for(browser, condition, what, seconds=90):
    return WebDriverWait(browser, seconds, ignored_exceptions=(Exception,)).until(condition, f"waited for {what}")


def click(browser, selector: str, text: str) -> None:
    def found(b):
        return next(e for e in b.find_elements(By.CSS_SELECTOR, selector) if e.text.strip().endswith(text))

    browser.execute_script("arguments[0].click()", wait_for(browser, found, text))


def open_tabs(browser) -> list[str]:
    return [tab.text for tab in browser.find_elements(By.CSS_SELECTOR, '[role=tab][aria-selected="true"]')]


def test_back_restores_the_panel_and_forward_the_group(browser, address):
    browser.get(f"{address}/analyze?sample=grace_hopper")
    click(browser, "[role=tab]", "Trust")
    wait_for(browser, lambda b: "panel=Trust" in b.current_url, "the panel in the address")
    click(browser, "[data-testid=stTopNavLink]", "Compare")
    click(browser, "button", "Errors")
    wait_for(browser, lambda b: "group=Errors" in b.current_url, "the group in the address")
    browser.back()
    wait_for(browser, lambda b: "Trust" in open_tabs(b) and "panel=Trust" in b.current_url, "the panel")
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

    phone = {"width": 420, "height": 860, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.get(f"{address}/about")
    for open_page in (
        lambda: click(browser, "[data-testid=stSidebarNavLink]", "Compare"),
        lambda: browser.get(f"{address}/compare"),  # Streamlit opens the sidebar again
    ):
        click(browser, "[data-testid=stExpandSidebarButton]", "")
        wait_for(browser, is_open, "the sidebar")
        open_page()
        wait_for(browser, lambda b: "/compare" in b.current_url and not is_open(b), "the page without the sidebar")
    click(browser, "[data-testid=stExpandSidebarButton]", "")
    click(browser, "[data-testid=stSidebar] button", "ResNet50")
    wait_for(browser, lambda b: "networks=" in b.current_url, "the chosen networks")
    assert is_open(browser)  # until the choice is complete
