"""Gradle, which CI does not run, builds the Android app from what Maven tests."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

_DEMO = ROOT / "android_demo"
_POM = (_DEMO / "pom.xml").read_text()
_APP = (_DEMO / "app/build.gradle.kts").read_text()
_TOP = (_DEMO / "build.gradle.kts").read_text()
_CORE = (_DEMO / "core/build.gradle.kts").read_text()


@pytest.mark.parametrize(
    ("maven", "gradle", "pattern"),
    [
        ("onnxruntime.version", _APP, r"onnxruntime-android:([\d.]+)"),
        ("kotlin.version", _TOP, r'kotlin\.jvm"\) version "([\d.]+)"'),
        ("kotlin.version", _TOP, r'serialization"\) version "([\d.]+)"'),
        ("serialization.version", _CORE, r"serialization-json:([\d.]+)"),
    ],
)
def test_gradle_takes_the_version_that_maven_tests(maven: str, gradle: str, pattern: str) -> None:
    tested = re.search(rf"<{maven}>([\d.]+)</{maven}>", _POM)
    taken = re.search(pattern, gradle)
    assert tested, maven
    assert taken, pattern
    assert taken[1] == tested[1]


def test_gradle_compiles_both_adapters_and_stores_their_models() -> None:
    for adapter in ("litert", "onnx"):
        assert f'"../{adapter}/src/main/kotlin"' in _APP
    stored = re.search(r"noCompress \+= listOf\((.*?)\)", _APP)
    assert stored
    assert stored[1] == '"tflite", "onnx"'
