"""What only a browser can show: a photo uploaded, its maps, and clicks on figures."""

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from core import checkpoints
from core.sample_photos import sample_photos
from tests.browser.reading import page_text, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not checkpoints.list_checkpoints().checkpoints, reason="no network is installed"),
]


def pictures(browser, beginning: str):
    """Loaded images whose alternative text starts with ``beginning``."""
    found = browser.find_elements(By.CSS_SELECTOR, f'img[alt^="{beginning}"]')
    return [image for image in found if int(image.get_property("naturalWidth")) > 0]


def test_upload_faces_saliency(browser, address, tmp_path):
    path = tmp_path / "portrait.jpg"
    path.write_bytes(next(iter(sample_photos().values())).data)
    networks = len(checkpoints.list_checkpoints().default)

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
    written = browser.execute_script("return document.querySelector('.js-plotly-plot').data[0].text.flat()")
    shown = [t.text for t in browser.find_elements(By.CSS_SELECTOR, ".js-plotly-plot .textpoint text")]
    counts = [int(text) for text in written]
    assert sorted(shown) == sorted(written)
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


def shown(browser) -> str:
    """The text of the page when nothing of it is still to be drawn."""
    state = browser.execute_script("return document.querySelector('[data-testid=stApp]').dataset.testScriptState")
    stale = browser.execute_script("return document.querySelectorAll('[data-stale=true]').length")
    return page_text(browser) if state == "notRunning" and not stale else ""


def click(browser, selector: str, text: str) -> None:
    found = wait_for(
        browser,
        lambda b: [e for e in b.find_elements(By.CSS_SELECTOR, selector) if text in e.text],
        text,
    )
    browser.execute_script("arguments[0].click()", found[0])


def test_panels_of_compare_follow_the_split_and_their_own_options(browser, address_with_images):
    browser.get(f"{address_with_images}/compare?group=Errors&view=Slices")
    wait_for(browser, lambda b: "shapes test, n = " in shown(b), "the slices")
    click(browser, ".st-key-view button", "Confusion")
    wait_for(browser, lambda b: "share of the true class" in shown(b), "the matrices")
    click(browser, ".st-key-split button", "val")
    wait_for(browser, lambda b: "shapes val, n = " in shown(b), "the matrices of the other split")
    assert "shapes test, n = " not in page_text(browser)
    click(browser, ".st-key-cells button", "by predicted class")
    wait_for(browser, lambda b: "share of the predicted class" in shown(b), "the other shares")
    assert "shapes val, n = " in page_text(browser)
    click(browser, ".st-key-view button", "Slices")
    wait_for(browser, lambda b: "Table of all slices" in shown(b), "the slices of the other split")
    assert "shapes test, n = " not in page_text(browser)
    assert all(part in browser.current_url for part in ("group=Errors", "view=Slices", "split="))


def test_panels_of_analyze_follow_the_class_that_is_chosen_outside(browser, address_with_images, checkpoint):
    browser.get(f"{address_with_images}/analyze?sample=grace_hopper&panel=Uncertainty")
    wait_for(browser, lambda b: "Filled: with the temperature" in shown(b), "the open panel")
    click(browser, "[role=tab]", "Saliency")
    wait_for(browser, lambda b: shown(b) and pictures(b, "Saliency of"), "the maps")
    before = pictures(browser, "Saliency of")[-1].get_attribute("alt")
    other = next(name for name in checkpoint.card.labels.classes if not before.endswith(f"for {name}"))
    click(browser, '[class*="st-key-class-"] button', other)
    wait_for(
        browser,
        lambda b: shown(b) and all(p.get_attribute("alt").endswith(f"for {other}") for p in pictures(b, "Saliency of")),
        "the maps of the other class",
    )
    click(browser, "[role=tab]", "Methods")
    wait_for(browser, lambda b: shown(b) and pictures(b, "Grad-CAM of"), "the methods")
    assert all(p.get_attribute("alt").endswith(f"for {other}") for p in pictures(browser, "Grad-CAM of"))
