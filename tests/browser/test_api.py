"""The HTTP API next to the pages, and its documentation in a browser."""

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from core import checkpoints
from core.sample_photos import sample_photos

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]


def test_the_api_answers_next_to_the_pages(address):
    portrait = sample_photos()["grace_hopper"].data
    answer = httpx.post(f"{address}/api/predict", files={"files": ("me.jpg", portrait)}, timeout=120)
    (photo,) = answer.raise_for_status().json()["photos"]
    assert (photo["path"], len(photo["faces"])) == ("me.jpg", 1)
    assert httpx.get(f"{address}/api/models/nobody").headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{address}/_stcore/health").status_code == 200


def test_the_documentation_loads_nothing_from_other_hosts(browser, address):
    browser.get(f"{address}/api/docs")
    shown = WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.CSS_SELECTOR, ".opblock"))
    assert len(shown) >= 8
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert loaded
    assert not [name for name in loaded if not name.startswith((address, "data:"))]
