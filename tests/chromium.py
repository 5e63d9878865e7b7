"""Headless Chromium, where it is; Debian: chromium, chromium-driver."""

import shutil

import pytest


def started(*arguments, **capabilities):
    """A browser with these arguments and capabilities; without Chromium or selenium the test is skipped by name."""
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", *arguments):
        options.add_argument(argument)
    for name, value in capabilities.items():
        options.set_capability(f"goog:{name}", value)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
