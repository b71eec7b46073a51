"""The iOS app's Xcode project, property lists and translations, held against the app's sources."""

import json
import plistlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.harness.devices import APP_ID
from export.proof.parity import min_psnr_db

IOS = Path(__file__).parents[1] / "ios_demo"
PROJECT = IOS / "MobileFSGAN.xcodeproj"
VIEWS = sorted((IOS / "App/Views").glob("*.swift"))
LANGUAGES = {"de", "ko"}  # beside English, which the sources have
PLACEHOLDER = re.compile(r"%(?:\d\$)?(?:@|lld)")


@pytest.fixture(scope="module")
def objects() -> dict[str, dict[str, Any]]:
    """The objects of the project by id, read by pbxproj."""
    pbxproj = pytest.importorskip("pbxproj", reason="pbxproj reads Xcode projects: pip install it")
    project = pbxproj.XcodeProject.load(str(PROJECT / "project.pbxproj"))
    tree = json.loads(json.dumps(project.objects, default=_plain))
    return {key: value for key, value in tree.items() if isinstance(value, dict)}


def _plain(thing: Any) -> Any:
    keys = getattr(thing, "get_keys", None)
    if keys is None:
        return str(thing)
    return {str(key): thing[key] for key in keys()}


def of(objects: dict[str, dict[str, Any]], isa: str) -> dict[str, dict[str, Any]]:
    return {key: value for key, value in objects.items() if value["isa"] == isa}


def ids(value: Any) -> Iterator[str]:
    """All words below `value` that look like the id of an object."""
    if isinstance(value, str) and re.fullmatch(r"[0-9A-F]{24}", value):
        yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from ids(key)
            yield from ids(below)
    elif isinstance(value, list):
        for below in value:
            yield from ids(below)


def test_no_id_is_dangling_and_none_unused(objects: dict[str, dict[str, Any]]) -> None:
    (root,) = of(objects, "PBXProject")
    used = {root} | {one for value in objects.values() for one in ids(value)}
    assert used == set(objects)


def test_every_swift_file_is_in_a_target(objects: dict[str, dict[str, Any]]) -> None:
    folders = of(objects, "PBXFileSystemSynchronizedRootGroup")
    built = [
        folders[group]["path"]
        for target in of(objects, "PBXNativeTarget").values()
        for group in target["fileSystemSynchronizedGroups"]
    ]
    assert sorted(built) == ["App", "AppTests"]
    # Core is built by its package, Stubs are for type checks on Linux alone.
    beside = {"Core", "Stubs", "node_modules"}
    for file in IOS.rglob("*.swift"):
        assert file.relative_to(IOS).parts[0] in {*built, *beside}, file


def test_the_package_that_the_app_links_is_there(objects: dict[str, dict[str, Any]]) -> None:
    (package,) = of(objects, "XCLocalSwiftPackageReference").values()
    products = {p["productName"] for p in of(objects, "XCSwiftPackageProductDependency").values()}
    assert products == {"MobileFSGANCore"}
    manifest = (IOS / package["relativePath"] / "Package.swift").read_text()
    assert '.library(name: "MobileFSGANCore"' in manifest
    assert "// swift-tools-version: 5.9" in manifest
    assert ".iOS(.v17)" in manifest


def test_core_is_linked_once(objects: dict[str, dict[str, Any]]) -> None:
    # A second copy of it in the tests would make its types differ from the app's at run time.
    links = {
        target["name"]: target.get("packageProductDependencies", [])
        for target in of(objects, "PBXNativeTarget").values()
    }
    assert [name for name, products in links.items() if products] == ["MobileFSGAN"]


def test_the_bundle_is_copied_as_a_folder(objects: dict[str, dict[str, Any]]) -> None:
    phases = of(objects, "PBXResourcesBuildPhase").values()
    files = [objects[objects[file]["fileRef"]] for phase in phases for file in phase["files"]]
    (bundle,) = files
    assert (bundle["path"], bundle["lastKnownFileType"]) == ("Bundle", "folder")
    assert (IOS / "Bundle").is_dir()  # Xcode refuses to build without it


def test_build_settings(objects: dict[str, dict[str, Any]]) -> None:
    def settings(owner: dict[str, Any]) -> list[dict[str, Any]]:
        of_owner = objects[owner["buildConfigurationList"]]["buildConfigurations"]
        assert [objects[one]["name"] for one in of_owner] == ["Debug", "Release"]
        return [objects[one]["buildSettings"] for one in of_owner]

    (project,) = of(objects, "PBXProject").values()
    assert {s["IPHONEOS_DEPLOYMENT_TARGET"] for s in settings(project)} == {"17.0"}
    targets = {t["name"]: t for t in of(objects, "PBXNativeTarget").values()}
    app, tests = settings(targets["MobileFSGAN"]), settings(targets["AppTests"])
    # benchmarks/ starts the app, and fetches its rows, by this name.
    assert {s["PRODUCT_BUNDLE_IDENTIFIER"] for s in app} == {APP_ID}
    assert {s["INFOPLIST_FILE"] for s in app} == {"Info.plist"}
    toolkit = tomllib.loads((IOS.parent / "pyproject.toml").read_text())["project"]
    assert {s["MARKETING_VERSION"] for s in app} == {toolkit["version"]}
    assert all(s["TEST_HOST"].endswith("/MobileFSGAN") for s in tests)


def test_schemes_name_targets_that_exist(objects: dict[str, dict[str, Any]]) -> None:
    schemes = {path.stem: path.read_text() for path in PROJECT.rglob("*.xcscheme")}
    assert set(schemes) == {"MobileFSGAN", "Benchmark"}
    for text in schemes.values():
        assert ElementTree.fromstring(text).tag == "Scheme"
        named = set(re.findall(r'BlueprintIdentifier = "(\w+)"', text))
        assert named == set(of(objects, "PBXNativeTarget"))
    assert 'argument = "--benchmark"' in schemes["Benchmark"]
    assert "CommandLineArgument" not in schemes["MobileFSGAN"]


def test_no_file_of_one_persons_xcode_is_committed() -> None:
    assert "xcuserdata" in (IOS / ".gitignore").read_text()


def sources() -> str:
    return "".join(file.read_text() for file in (IOS / "App").rglob("*.swift"))


def test_info_plist_says_why_and_lets_rows_out() -> None:
    info = plistlib.loads((IOS / "Info.plist").read_bytes())
    # Without the sentence the system ends the app when it asks.
    for call, key in [
        ("AVCaptureDevice.requestAccess", "NSCameraUsageDescription"),
        ("requestAuthorization(for: .addOnly)", "NSPhotoLibraryAddUsageDescription"),
    ]:
        assert call in sources()
        assert len(info[key]) > 20
    assert info["UIFileSharingEnabled"] is True
    assert info["LSSupportsOpeningDocumentsInPlace"] is True
    assert info["GitCommit"] == "$(GIT_COMMIT)"
    assert 'info["GitCommit"]' in sources()


def test_the_privacy_manifest_names_what_the_app_uses_and_tracks_nobody() -> None:
    privacy = plistlib.loads((IOS / "App/Resources/PrivacyInfo.xcprivacy").read_bytes())
    assert privacy["NSPrivacyTracking"] is False
    assert privacy["NSPrivacyCollectedDataTypes"] == []
    named = {one["NSPrivacyAccessedAPIType"] for one in privacy["NSPrivacyAccessedAPITypes"]}
    uses = {
        "UserDefaults": "NSPrivacyAccessedAPICategoryUserDefaults",
        "systemUptime": "NSPrivacyAccessedAPICategorySystemBootTime",
        "modificationDate": "NSPrivacyAccessedAPICategoryFileTimestamp",
        "volumeAvailableCapacity": "NSPrivacyAccessedAPICategoryDiskSpace",
    }
    assert named == {name for word, name in uses.items() if word in sources()}


def test_every_sentence_of_the_app_is_translated_and_no_other() -> None:
    catalog = json.loads((IOS / "App/Resources/Localizable.xcstrings").read_text())["strings"]
    said = {key for file in VIEWS for key in keys_of_a_view(file.read_text())}
    said |= sentences_of_core()
    assert {key.replace("%lld", "%@") for key in catalog} == said
    for key, entry in catalog.items():
        assert set(entry["localizations"]) == LANGUAGES, key
        for translation in entry["localizations"].values():
            text = translation["stringUnit"]["value"]
            assert len(PLACEHOLDER.findall(text)) == len(PLACEHOLDER.findall(key)), key


def test_permissions_are_asked_for_in_every_language() -> None:
    catalog = json.loads((IOS / "App/Resources/InfoPlist.xcstrings").read_text())["strings"]
    info = plistlib.loads((IOS / "Info.plist").read_bytes())
    assert set(catalog) == {key for key in info if key.endswith("UsageDescription")}
    for key, entry in catalog.items():
        assert set(entry["localizations"]) == {"en", *LANGUAGES}
        assert entry["localizations"]["en"]["stringUnit"]["value"] == info[key]


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8", "w8a8", "pal6", "dynamic"])
def test_the_self_test_has_the_gates_of_the_export(precision: str) -> None:
    text = (IOS / "Core/Sources/MobileFSGANCore/App/SelfTest.swift").read_text()
    gates = re.search(r"switch precision \{(.*?)default: (\d+)", text, re.DOTALL)
    assert gates
    named = {
        name: int(gate)
        for names, gate in re.findall(r"case (.*?): (\d+)", gates[1])
        for name in re.findall(r'"(\w+)"', names)
    }
    # Core ML's pictures have 8 bits, and so the gate of these.
    expected = min_psnr_db(precision, eight_bit=True)  # type: ignore[arg-type]
    assert named.get(precision, int(gates[2])) == expected


def keys_of_a_view(text: str) -> Iterator[str]:
    """String literals that SwiftUI looks up; each interpolation is one placeholder."""
    literal = re.compile(r'"((?:\\\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\\.|[^"\\])*)"')
    for found in literal.finditer(re.sub(r"(?m)^\s*//.*$", "", text)):
        before = text_before(found)
        if not found[1] or before.endswith(("systemImage: ", "verbatim: ")):
            continue
        key = re.sub(r"\\\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "%@", found[1])
        yield key.replace('\\"', '"')


def text_before(found: re.Match[str]) -> str:
    return found.string[max(0, found.start() - 20) : found.start()]


def sentences_of_core() -> set[str]:
    text = (IOS / "Core/Sources/MobileFSGANCore/App/Notices.swift").read_text()
    short = re.findall(r'Notice\(\s*"([^"\n]+)"', text)
    long = re.findall(r'Notice\(\s*"""\n(.*?)\n\s*"""', text, re.DOTALL)
    return {*short, *(re.sub(r"\s*\\\n\s*", " ", one.strip()) for one in long)}
