"""The Android app labels pictures with the words of the pipeline."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from conftest import ROOT

from pipeline.media import label

_MAIN = ROOT / "android_demo/app/src/main"


def test_the_badge_has_the_pipelines_text() -> None:
    strings = ET.parse(_MAIN / "res/values/strings.xml").getroot()
    badge = strings.find("string[@name='badge']")
    assert badge is not None
    assert badge.text == label._BADGE_TEXT


def test_metadata_have_the_pipelines_source_type_and_tool() -> None:
    code = (_MAIN / "kotlin/org/mobilefsgan/demo/Xmp.kt").read_text(encoding="utf-8")
    assert f'"{label.SOURCE_TYPE}"' in code
    assert f"<xmp:CreatorTool>{label.TOOL}</xmp:CreatorTool>" in code
