"""U-Nets with few layers and filters, for tests that are not about their size."""

import pytest

from multisenge_lib.models import unet


def slim_unet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unet, "ENCODER", ((4, 1), (4, 1), (8, 1), (8, 1), (8, 1)))
    monkeypatch.setattr(unet, "CENTRE", 8)
    monkeypatch.setattr(unet, "DECODER", (8, 8, 8, 4, 4))
