"""What all tests in a browser use: waiting for a condition, and the text of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


def wait_for(browser: webdriver.Chrome, condition: Callable[[Any], Any], what: str, seconds: float = 90) -> Any:
    """The value of the condition as soon as it is true; exceptions count as false."""
    return WebDriverWait(browser, seconds, ignored_exceptions=(Exception,)).until(condition, f"waited for {what}")


def page_text(browser: webdriver.Chrome) -> str:
    """All visible text."""
    return browser.find_element(By.TAG_NAME, "body").text
