"""Addresses in a browser: what *Back* and links restore."""

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
