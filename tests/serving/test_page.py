"""The page in a real browser."""

import os
import shutil
from importlib import metadata

import pandas as pd
import pytest

import skrec
from skrec.models import EASERanker, PopularityRanker

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)
BAD = '<img src=x onerror="document.title=1">'
RIGHT = ("--token", "s3cret")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser without a window."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver, log_output=os.devnull)
    started = webdriver.Chrome(options=options, service=service)
    yield started
    started.quit()


@pytest.fixture
def look(browser):
    """A function that waits until a selector finds elements, and returns their texts."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def texts(selector, true=bool):
        def read(_):
            found = browser.execute_script(
                "return [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent)"
                ".map(e => e.textContent)",
                selector,
            )
            return found if true(found) else False

        return WebDriverWait(browser, 60).until(read, f"{selector}: {browser.page_source}")

    texts.one = lambda selector: browser.find_element(By.CSS_SELECTOR, selector)
    return texts


@pytest.fixture
def files(log, tmp_path):
    """A model of the ids of users as text, another one, and titles of which one tries to be HTML."""
    named = log.assign(user_id=log["user_id"].map("user {}".format))[["user_id", "item_id"]]
    bad = pd.DataFrame({"user_id": [f"user {n}" for n in (2, 4, 6)] + [BAD], "item_id": [BAD] * 4})
    events = pd.concat([named, bad])
    for name, model in (("main", EASERanker(l2=1.0)), ("other", PopularityRanker())):
        skrec.save(model.fit(events), tmp_path / name)
    titles = tmp_path / "titles.csv"
    titles.write_text('item,title\na,Alien & co\nb,Brazil\nc,"<b>Cube</b>"\n', encoding="utf-8")
    return tmp_path / "main", tmp_path / "other", titles


def errors(browser):
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_recommendations_with_reasons_and_history(browser, look, start, files):
    model, _, titles = files
    server = start(model, "--titles", str(titles))
    browser.get(f"{server.url}/#user 0")
    assert look(".recommended .title")[0] in {"Alien & co a", BAD}
    assert set(look(".history .title")) == {"Brazil b", "<b>Cube</b> c", "d"}
    assert BAD in look(".recommended .title")
    assert any(text.startswith("Because of ") for text in look(".why"))
    assert browser.execute_script("return document.images.length + document.querySelectorAll('main b').length") == 0
    assert look.one("#user").get_attribute("value") == "user 0"
    assert len(browser.execute_script("return [...document.querySelectorAll('#users option')]")) == 9

    user = look.one("#user")
    user.clear()
    user.send_keys("user 1\n")
    assert set(look(".history .title", lambda found: "w" not in found and "x" in found)) == {"x", "y", "z"}
    assert look(".recommended .title")[0] == "w"
    user.clear()
    user.send_keys(f"{BAD}\n")  # an id that would run as HTML
    look(".history .title", lambda found: found == [BAD])
    user.clear()
    user.send_keys("unknown\n")
    assert look(".history .empty") == ["The model does not know this user."]
    assert browser.title == "Recommendations · skrec"
    assert errors(browser) == []


def test_exclude_filter_and_known_items(browser, look, start, files):
    model, _, titles = files
    server = start(model, "--titles", str(titles))
    browser.get(f"{server.url}/#user 1")
    assert look(".recommended .title")[0] == "w"
    n = len(look(".recommended .title"))
    look.one(".recommended .exclude").click()
    assert "w" not in look(".recommended .title", lambda found: len(found) == n - 1)
    assert look("#excluded button") == ["w ↺"]
    look.one("#excluded button").click()
    assert look(".recommended .title", lambda found: len(found) == n)[0] == "w"
    look.one("#seen").click()
    assert set("wxyz") <= set(look(".recommended .title", lambda found: len(found) > n))
    look.one("#filter").send_keys("ALIEN")
    assert look(".recommended .title", lambda found: len(found) == 1) == ["Alien & co a"]
    assert look(".history .empty") == ["No item fits the filter."]
    assert errors(browser) == []


def test_two_models_side_by_side_and_a_token(browser, look, start, files):
    model, other, titles = files
    server = start(model, "--compare", str(other), "--titles", str(titles), *RIGHT)
    browser.get(f"{server.url}/#user 0")
    assert look("#message") == ["Enter the token of the service."]
    look.one("#token").send_keys("wrong\n")
    look("#message", lambda found: found == ["The token is wrong."])
    look.one("#token").send_keys("s3cret\n")
    assert look("section h2") == ["History", "EASERanker", "PopularityRanker"]
    assert look(".both")
    assert not look.one("#message").is_displayed()


def test_a_narrow_window_needs_no_sideways_scrolling(browser, look, start, files):
    server = start(files[0], "--compare", str(files[1]))
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        browser.get(f"{server.url}/#user 0")
        look(".recommended .title")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 380
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_service_that_has_stopped(browser, look, start, files):
    server = start(files[0])
    browser.get(f"{server.url}/#user 0")
    look(".recommended .title")
    server.stop()
    look.one("#controls button").click()
    assert look("#message") == ["The service does not answer. Is it still running?"]


def test_the_installed_package_has_the_page():
    try:
        files = metadata.files("skrec-deep") or []
    except metadata.PackageNotFoundError:
        pytest.skip("skrec-deep is not installed")
    if not any(str(file).startswith("skrec/") for file in files):
        pytest.skip("skrec-deep is installed in editable mode")
    names = {file.name for file in files if str(file).startswith("skrec/serving/page/")}
    assert names == {"index.html", "app.js", "style.css", "icon.svg"}
