"""What only a browser can show: a photo uploaded, its maps, and clicks on figures."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from core import checkpoints
from core.sample_photos import sample_photos

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]


def wait_for(browser, condition, what, seconds=90):
    return WebDriverWait(browser, seconds, ignored_exceptions=(Exception,)).until(condition, f"waited for {what}")


def page_text(browser) -> str:
    return browser.find_element(By.TAG_NAME, "body").text


def pictures(browser, beginning: str):
    """Loaded images whose alternative text starts with ``beginning``."""
    found = browser.find_elements(By.CSS_SELECTOR, f'img[alt^="{beginning}"]')
    return [image for image in found if int(image.get_property("naturalWidth")) > 0]


def test_upload_faces_saliency(browser, address, tmp_path):
    path = tmp_path / "portrait.jpg"
    path.write_bytes(next(iter(sample_photos().values())).data)
    networks = len(checkpoints.list_checkpoints().checkpoints)

    browser.get(f"{address}/analyze")
    file_input = wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, 'input[type="file"]'), "the uploader")
    file_input.send_keys(str(path))
    wait_for(browser, lambda b: "after temperature scaling" in page_text(b), "the prediction")
    wait_for(browser, lambda b: "portrait.jpg · " in page_text(b), "the photo")
    # Each map is shown over the photo and over the input of its network.
    wait_for(browser, lambda b: len(pictures(b, "Saliency of")) == 2 * networks, "the maps")
    wait_for(
        browser,
        lambda b: b.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .bars, .js-plotly-plot .points"),
        "the chart",
    )

    before = [image.get_attribute("src") for image in pictures(browser, "Saliency of")]
    sad = next(b for b in browser.find_elements(By.TAG_NAME, "button") if b.text == "sad")
    browser.execute_script("arguments[0].click()", sad)
    wait_for(
        browser,
        lambda b: (
            len(pictures(b, "Saliency of")) == 2 * networks
            and "for sad" in pictures(b, "Saliency of")[0].get_attribute("alt")
        ),
        "maps for sad",
    )
    assert [image.get_attribute("src") for image in pictures(browser, "Saliency of")] != before
    assert "Traceback" not in page_text(browser)


def test_a_click_on_a_confusion_cell_lists_its_images(browser, address):
    browser.get(f"{address}/compare?group=Errors&view=Confusion")
    matrix = wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, ".js-plotly-plot .nsewdrag"), "a matrix")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", matrix)
    width, height = matrix.rect["width"], matrix.rect["height"]

    def click(_browser) -> bool:
        # Row fear (2), column sad (4) of 7; again until the figure has its listeners.
        right, down = (4.5 / 7 - 0.5) * width, (2.5 / 7 - 0.5) * height
        ActionChains(browser).move_to_element_with_offset(matrix, int(right), int(down)).pause(0.5).click().perform()
        WebDriverWait(browser, 8).until(lambda b: "cell_true=fear" in b.current_url)
        return True

    wait_for(browser, click, "the cell in the address")
    assert "cell_predicted=sad" in browser.current_url
    wait_for(browser, lambda b: "1 to 20 of" in page_text(b), "the list of images")


def test_a_click_on_a_confusion_cell_shows_its_faces_where_the_images_are(browser, address_with_images, checkpoint):
    browser.get(f"{address_with_images}/compare?group=Errors&view=Confusion&networks=Residual+CNN")
    matrix = wait_for(browser, lambda b: b.find_element(By.CSS_SELECTOR, ".js-plotly-plot .nsewdrag"), "a matrix")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", matrix)
    counts = [int(t.text) for t in browser.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .heatmap-label text")]
    classes = checkpoint.card.labels.classes
    assert len(counts) == len(classes) ** 2
    row, column = divmod(counts.index(max(counts)), len(classes))  # a cell that has images

    def click(_browser) -> bool:
        right, down = ((k + 0.5) / len(classes) - 0.5 for k in (column, row))
        at = int(right * matrix.rect["width"]), int(down * matrix.rect["height"])
        ActionChains(browser).move_to_element_with_offset(matrix, *at).pause(0.5).click().perform()
        WebDriverWait(browser, 8).until(lambda b: "cell_true=" in b.current_url)
        return True

    wait_for(browser, click, "the cell in the address")

    def drawn(b):
        found = b.find_elements(By.CSS_SELECTOR, '[data-testid="stImage"] img')
        return found if len(found) == min(20, max(counts)) else None

    faces = wait_for(browser, drawn, "the faces")
    figure = browser.find_element(By.CSS_SELECTOR, ".js-plotly-plot .nsewdrag").rect
    assert faces[0].rect["x"] > figure["x"] + figure["width"]  # beside the matrix
    assert all(f": {classes[row]}" in face.get_attribute("alt") for face in faces)


def test_a_point_of_the_embedding_shows_its_face_on_hover_and_beside_the_map_after_a_click(
    browser, address_with_images
):
    browser.get(f"{address_with_images}/compare?group=Errors&view=Embedding&networks=Residual+CNN")
    wait_for(browser, lambda b: b.execute_script("return Object.keys(window.ferscopeFaces ?? {}).length"), "the faces")
    area = wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .nsewdrag"), "the map")[0]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", area)

    def hover(b) -> bool:
        point = b.find_element(By.CSS_SELECTOR, ".js-plotly-plot .scatterlayer .point").rect
        center = area.rect["x"] + area.rect["width"] / 2, area.rect["y"] + area.rect["height"] / 2
        right, down = (point["x"] + point["width"] / 2 - center[0], point["y"] + point["height"] / 2 - center[1])
        beside = ActionChains(b).move_to_element_with_offset(area, int(right) + 9, int(down) + 9).pause(0.3)
        beside.move_to_element_with_offset(area, round(right), round(down)).pause(0.5).perform()
        return b.find_element(By.XPATH, '//body/div[starts-with(@aria-label, "Image ")]').is_displayed()

    wait_for(browser, hover, "the face")
    row = browser.find_element(By.XPATH, '//body/div[starts-with(@aria-label, "Image ")]').get_attribute("aria-label")

    def click(b) -> bool:
        ActionChains(b).click().perform()  # the pointer is still over the point
        WebDriverWait(b, 8).until(lambda _: pictures(b, f"{row}: "))
        return True

    wait_for(browser, click, "the face beside the map")
    assert "1 image: true class" in page_text(browser)
    assert len(pictures(browser, "Image ")) == 1
