"""The registries of the modules whose cases ask some: they say so with `pytestmark = pytest.mark.usefixtures("registries")`; elsewhere nobody answers."""

from __future__ import annotations

import dataclasses

import pytest

from tests.web.test_registry import serving
from web.registry import create_registry


@pytest.fixture(scope="module")
def registries(request):
    """The address of registries that answer at once. A module's HELD (ID -> findings) is what they know beside that, and its tests may add to it."""
    with serving(create_registry(getattr(request.module, "HELD", {}))) as address:
        yield address


@pytest.fixture
def settings(settings, request):
    if "registries" not in request.fixturenames:
        return settings
    return dataclasses.replace(settings, registry=request.getfixturevalue("registries"))
