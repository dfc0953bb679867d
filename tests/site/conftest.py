"""The Python that the browser gets, built."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scripts.site.runtime import build_runtime
from scripts.site.vendor import install_packages


@pytest.fixture(scope="session")
def runtime():
    install_packages()
    with ThreadPoolExecutor() as pool:
        return build_runtime(pool)
