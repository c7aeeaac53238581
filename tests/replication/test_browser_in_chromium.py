"""The results browser in a real browser, from the file system."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("selenium", reason="needs selenium")
pytest.importorskip("jinja2", reason="needs the extra 'paper'")
pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the extra 'paper'")

from replication.test_browser import HOSTILE, write_study
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jjjpolicy.replication.browser.page import write_browser

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.needs("chromium", "chromedriver", install="chromium and chromium-driver")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    study = write_study(tmp_path_factory.mktemp("browser") / "study")
    write_browser(study)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_window_size(1200, 900)
    driver.get((study.output / "browser/index.html").as_uri())
    yield driver
    driver.quit()


@pytest.fixture
def browser(driver: Any) -> Any:
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_script("localStorage.clear()")
    driver.refresh()
    return driver


def shown(browser: Any) -> list[str]:
    articles = browser.find_elements(By.CSS_SELECTOR, "article")
    return [each.get_attribute("data-artefact") for each in articles if each.is_displayed()]


def reading(browser: Any) -> str:
    return browser.find_element(By.CSS_SELECTOR, "#figure-gaps .reading").text


def test_it_runs_without_errors_and_loads_only_itself(browser: Any) -> None:
    assert browser.get_log("browser") == []
    requests = [
        entry["message"]
        for entry in browser.get_log("performance")
        if "Network.requestWillBeSent" in entry["message"]
    ]
    assert not any('"url":"http' in message for message in requests)
    assert HOSTILE in browser.find_element(By.CSS_SELECTOR, "#figure-gaps h2").text


def test_figures_are_drawn_in_the_language_shown_when_they_come_into_sight(browser: Any) -> None:
    printed = browser.find_element(By.CSS_SELECTOR, "#figure-events [data-printed]")
    pictures = printed.find_elements(By.TAG_NAME, "img")
    assert not any(picture.get_attribute("src") for picture in pictures)
    browser.execute_script("arguments[0].open = true; arguments[0].scrollIntoView()", printed)
    drawn = "return arguments[0].complete && arguments[0].naturalWidth > 0"
    WebDriverWait(browser, 20).until(lambda b: b.execute_script(drawn, pictures[0]))
    assert pictures[0].get_attribute("src").startswith("blob:")
    assert not pictures[1].get_attribute("src")


def test_every_part_can_be_reached_and_is_named_for_a_screen_reader(browser: Any) -> None:
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if "role" in n]
    kinds = {role for role, _ in roles}
    assert {"banner", "navigation", "main", "search", "article"} <= kinds
    for role, name in roles:
        if role in ("button", "link", "checkbox", "searchbox", "application", "image", "figure"):
            assert name or role == "figure"
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert "skip" in browser.switch_to.active_element.get_attribute("class")
    focusable = browser.execute_script(
        "return [...document.querySelectorAll('.plot svg, summary, button, input')]"
        ".every(each => each.tabIndex >= 0)"
    )
    assert focusable


def test_search_finds_captions_regions_and_scripts(browser: Any) -> None:
    everything = shown(browser)
    assert len(everything) == 4
    browser.find_element(By.TAG_NAME, "body").send_keys("/")
    active = browser.switch_to.active_element
    assert active.get_attribute("id") == "search"
    active.send_keys("events")
    assert "figure:events" in shown(browser)
    active.clear()
    active.send_keys("p9 <b>")
    assert shown(browser) == ["figure:gaps"]
    active.send_keys(" nonsense")
    assert shown(browser) == []
    assert browser.find_element(By.ID, "nothing").is_displayed()
    active.send_keys(Keys.ESCAPE)
    assert shown(browser) == everything


def test_the_language_changes_everywhere_and_is_remembered(browser: Any) -> None:
    button = browser.find_element(By.ID, "language")
    heading = browser.find_element(By.CSS_SELECTOR, "#table-gaps h2")
    assert "Table 1" in heading.text
    button.click()
    assert heading.text.startswith("表1")
    assert "安慰剂" in browser.find_element(By.CSS_SELECTOR, "#figure-gaps .keys").text
    browser.refresh()
    assert "表1" in browser.find_element(By.CSS_SELECTOR, "#table-gaps h2").text
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "zh-Hans"


def test_plots_show_values_to_the_pointer_and_to_the_keyboard(browser: Any) -> None:
    svg = browser.find_element(By.CSS_SELECTOR, "#figure-gaps svg")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    browser.execute_script("arguments[0].focus()", svg)
    svg.send_keys(Keys.HOME)
    assert reading(browser).endswith("2010: 0.000")
    svg.send_keys(*[Keys.ARROW_RIGHT] * 6)
    assert reading(browser).endswith("2016: 0.312")
    svg.send_keys(Keys.ARROW_UP)
    assert "p9 <b>" in reading(browser)
    events = browser.find_element(By.CSS_SELECTOR, "#figure-events svg")
    events.send_keys(Keys.END)
    text = browser.find_element(By.CSS_SELECTOR, "#figure-events .reading").text
    assert text.endswith("1: 0.400 [0.200, 0.600]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    ActionChains(browser).move_to_element_with_offset(svg, 30, -10).perform()
    assert " · p" in reading(browser)  # the nearest series is a placebo


def test_placebos_can_be_hidden(browser: Any) -> None:
    box = browser.find_element(By.CSS_SELECTOR, '#figure-gaps input[data-role="placebo"]')
    paths = browser.find_elements(By.CSS_SELECTOR, "#figure-gaps path.placebo")
    assert len(paths) == 5
    assert all(path.is_displayed() for path in paths)
    box.click()
    assert not any(path.is_displayed() for path in paths)
    assert browser.find_element(By.CSS_SELECTOR, "#figure-gaps path.treated").is_displayed()


def test_the_band_of_an_event_study_lies_behind_its_estimates_and_can_be_hidden(
    browser: Any,
) -> None:
    groups = browser.find_elements(By.CSS_SELECTOR, "#figure-events svg g")
    assert [group.get_attribute("data-role") for group in groups] == ["band", "estimate"]
    assert len(browser.find_elements(By.CSS_SELECTOR, "#figure-events circle.fixed")) == 1
    band = browser.find_element(By.CSS_SELECTOR, "#figure-events polygon.band")
    assert len(band.get_attribute("points").split()) == 8
    browser.find_element(By.CSS_SELECTOR, '#figure-events input[data-role="band"]').click()
    assert not band.is_displayed()
    assert browser.find_element(By.CSS_SELECTOR, "#figure-events circle.estimate").is_displayed()


def test_a_phone_shows_the_page_without_sideways_scrolling(browser: Any) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.refresh()
    browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    widths = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]


def test_print_shows_the_printed_figures_and_no_controls(browser: Any) -> None:
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not browser.find_element(By.ID, "search").is_displayed()
    assert not browser.find_element(By.CSS_SELECTOR, "#figure-gaps .plot").is_displayed()
    assert browser.find_element(By.CSS_SELECTOR, "#figure-gaps img.en").is_displayed()
    assert browser.find_element(By.CSS_SELECTOR, "#figure-gaps .provenance td").is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {})
    assert base64.b64decode(pdf["data"]).startswith(b"%PDF")
