"""The page in a real browser: no errors, no requests, every plot drawn, examples shown where one points."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from amalthea.predictor.predictor import Predictor
from amalthea.reporting import page as page_of
from tests.potentials.trained import potential
from tests.predictor.models import trained
from tests.workflow import digits

selenium = pytest.importorskip("selenium", reason="selenium drives the browser: pip install selenium")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromium-driver are not installed"),
]
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in [*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def wait(browser, script: str, *values: object):
    """Return what a script returns, once it is true."""
    end = time.monotonic() + 60
    while not (found := browser.execute_script(f"return {script}", *values)):
        assert time.monotonic() < end, script
        time.sleep(0.1)
    return found


def model(name: str) -> Predictor:
    """Return a small model by its name."""
    known = {"potential": potential, "pictures": digits.trained}
    return known[name]() if name in known else trained(name)


def opened(browser, folder, name: str, language: str, theme: str, width: int) -> list[str]:
    """Open a report as somebody would, and return the addresses that were asked for."""
    path = folder / "report.html"
    page_of.report(model(name), path, language=language)
    metrics = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    browser.get("about:blank")
    browser.get_log("performance"), browser.get_log("browser")
    browser.get(path.as_uri())
    wait(browser, "document.documentElement.dataset.ready")
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [address for address in asked if not address.startswith("chrome")]


CASES = [
    ("molecules, number", "en", "light", 1440),
    ("molecules, classes", "pt-BR", "dark", 390),
    ("many classes", "en", "dark", 1440),
    ("a number with gaps and classes", "pt-BR", "light", 390),
    ("potential", "en", "light", 1440),
    ("potential", "pt-BR", "dark", 390),
    ("pictures", "pt-BR", "light", 1440),
]


@pytest.mark.parametrize(("name", "language", "theme", "width"), CASES)
def test_page_is_whole_in_a_browser(browser, tmp_path, name, language, theme, width):
    asked = opened(browser, tmp_path, name, language, theme, width)
    assert [address for address in asked if not address.startswith(("data:", "blob:", "file:"))] == []
    assert sum(address.startswith("file:") for address in asked) == 1
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('.canvas')].map(c => [c.querySelectorAll('.main-svg').length, "
        "c.getBoundingClientRect().width, c.querySelector('.main-svg').getBoundingClientRect().width])"
    )
    assert len(drawn) > 4
    assert all(layers and abs(frame - figure) < 2 for layers, frame, figure in drawn)
    pictures = "[...document.images].every(each => each.complete && each.naturalWidth > 0)"
    assert wait(browser, pictures)
    inner, outer = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert inner <= outer
    assert browser.execute_script("return document.documentElement.dataset.theme") == theme
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("name", ["pictures", "potential"])
def test_no_table_is_cut_on_paper(browser, tmp_path, name):
    opened(browser, tmp_path, name, "pt-BR", "light", 1440)
    try:
        paper = {"width": 688, "height": 1017, "deviceScaleFactor": 1, "mobile": False}  # A4 less its margins
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", paper)
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        widest = "return Math.max(...[...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right))"
        assert browser.execute_script(widest) <= 688
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


SHOWN = [
    ("molecules, number", "document.querySelector('.pointed img')?.naturalWidth > 0", "predicted: "),
    ("potential", "document.querySelector('.pointed img')?.naturalWidth > 0", "frame "),
    ("pictures", "document.querySelector('.pointed .sheet')?.clientWidth > 0", "predicted: "),
    ("number", "document.querySelector('.pointed pre')?.textContent.includes('colour: ')", "predicted: "),
]


@pytest.mark.parametrize(("name", "drawn", "said"), SHOWN)
def test_pointing_at_an_example_shows_it(browser, tmp_path, name, drawn, said):
    from selenium.webdriver import ActionChains

    opened(browser, tmp_path, name, "en", "light", 1440)
    canvas = browser.find_element("css selector", "[data-plot=agreement]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", canvas)
    ActionChains(browser).move_to_element(canvas.find_elements("css selector", ".point")[3]).perform()
    wait(browser, drawn)
    assert said in browser.find_element("css selector", ".pointed").text
    assert browser.get_log("browser") == []


def test_theme_can_be_changed_and_figures_exported(browser, tmp_path):
    opened(browser, tmp_path, "molecules, number", "en", "light", 1440)
    browser.find_element("id", "theme").click()
    assert wait(browser, "document.documentElement.dataset.theme === 'dark'")
    browser.execute_script(
        "URL.createObjectURL = (blob) => { blob.text().then(t => { window.saved = t; }); return '#'; }"
    )
    for kind, start in (("csv", "row,fold,true,predicted"), ("svg", "<svg")):
        browser.execute_script(
            f"window.saved = ''; document.querySelector('[data-export={kind}][data-of=agreement]').click()"
        )
        assert wait(browser, "window.saved").startswith(start)
    assert browser.get_log("browser") == []
