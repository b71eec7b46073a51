"""What of a photo's metadata goes into a result, and that none of it can lose the picture."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import ImageError
from pipeline.media import photo
from pipeline.media.label import SOURCE_TYPE, source_type, xmp_packet

PICTURE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
MAKE, EXIF, GPS = 0x010F, 0x8769, 0x8825
EXPOSURE, SERIAL, LENS_SERIAL, OWNER, MAKER_NOTE, UNIQUE = (
    *(0x829A, 0xA431, 0xA435, 0xA430, 0x927C, 0xA420),
)
SUFFIXES = [".jpg", ".png", ".webp", ".tif"]
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" xmlns:d="http://www.dji.com/drone-dji/1.0/" '
    'dc:format="image/jpeg" exif:GPSLatitude="48,8N" exif:FNumber="28/10" '
    'aux:SerialNumber="S-4711" d:GpsLongitude="2,17E"/></rdf:RDF></x:xmpmeta>'
)


def camera_exif() -> Image.Exif:
    made = Image.Exif()
    made[MAKE] = "Camera"
    notes = {EXPOSURE: 0.01, SERIAL: "S-4711", LENS_SERIAL: "L-4711", OWNER: "O-4711"}
    made.get_ifd(EXIF).update({**notes, MAKER_NOTE: b"M-4711" * 9, UNIQUE: "U-4711"})
    made.get_ifd(GPS).update({1: "N", 2: (48.0, 8.0, 0.0)})
    return made


def saved(path: Path, **options: object) -> Path:
    Image.fromarray(PICTURE).save(path, **options)
    return path


def result_of(path: Path, output: Path, **options: bool) -> tuple[Image.Image, list[str]]:
    taken = photo.read(path, **options)
    notes = photo.write(output, taken, taken.image, xmp_packet(taken.xmp))
    result = Image.open(output)
    result.load()
    return result, [*taken.notes, *notes]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_capture_facts_travel_and_place_and_device_do_not(suffix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", exif=camera_exif(), xmp=XMP.encode())
    result, notes = result_of(path, tmp_path / f"b{suffix}")
    exif = result.getexif()
    assert exif[MAKE] == "Camera"
    assert float(exif.get_ifd(EXIF)[EXPOSURE]) == pytest.approx(0.01)
    assert not exif.get_ifd(GPS)
    content = (tmp_path / f"b{suffix}").read_bytes()
    assert b"4711" not in content
    assert b"48,8N" not in content
    assert b"2,17E" not in content
    assert b"image/jpeg" in content
    assert b"28/10" in content
    assert notes == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_metadata_travel_if_asked_for(suffix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", exif=camera_exif(), xmp=XMP.encode())
    result, _ = result_of(path, tmp_path / f"b{suffix}", keep_metadata=True)
    exif = result.getexif()
    assert exif.get_ifd(EXIF)[SERIAL] == "S-4711"
    assert exif.get_ifd(GPS)[1] == "N"
    assert b"48,8N" in (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_without_a_label_a_cameras_notes_reach_every_format(suffix: str, tmp_path: Path) -> None:
    taken = photo.read(saved(tmp_path / "a.jpg", exif=camera_exif()))
    photo.write(tmp_path / f"b{suffix}", taken, taken.image)
    with Image.open(tmp_path / f"b{suffix}") as result:
        assert result.getexif()[MAKE] == "Camera"


def test_exif_that_cannot_be_written_is_dropped_with_a_note(tmp_path: Path) -> None:
    """XResolution is -1/0, which Pillow reads and cannot write."""
    path = saved(tmp_path / "a.jpg")
    data = path.read_bytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x03"
    exif += b"\x01\x0f\0\x02\0\0\0\x04Cam\0" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
    exif += b"\x01\x1a\0\x0a\0\0\0\x01\0\0\0\x32" + b"\0\0\0\0" + b"\xff\xff\xff\xff\0\0\0\0"
    marker = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    path.write_bytes(data[:2] + marker + data[2:])
    result, notes = result_of(path, tmp_path / "b.jpg")
    assert result.size == (20, 30)  # turned upright by the orientation that could be read
    assert result.getexif()[MAKE] == "Cam"
    assert notes == ["1 of 2 EXIF entries are damaged and left out"]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
@pytest.mark.parametrize("exif", [b"Exif\0\0MM", b"Exif\0\0MM\0*", b"no EXIF at all"])
def test_exif_without_a_whole_header_is_left_out_with_a_note(
    exif: bytes, suffix: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / f"a{suffix}", exif=exif, lossless=True)
    result, notes = result_of(path, tmp_path / f"b{suffix}")
    assert result.size == (30, 20)
    assert notes == ["its EXIF is damaged and left out"]


@pytest.mark.parametrize("seed", range(8))
def test_damaged_exif_never_loses_the_picture_and_never_warns(
    seed: int, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    rng, exif = np.random.default_rng(seed), camera_exif().tobytes()
    for trial in range(12):
        damaged = bytearray(exif)
        for at in rng.integers(6, len(damaged), 1 + trial):
            damaged[at] = rng.integers(256)
        path = saved(tmp_path / "a.jpg", exif=bytes(damaged))
        result, _ = result_of(path, tmp_path / "b.tif", keep_metadata=bool(trial % 2))
        assert sorted(result.size) == [20, 30]
    assert not recwarn.list


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_metadata_above_64_kilobytes_are_left_out_where_they_do_not_fit(
    suffix: str, tmp_path: Path
) -> None:
    large = Image.Exif()
    large[0x010E] = "x" * 70_000
    packet = XMP.replace('dc:format="image/jpeg"', f'dc:format="{"y" * 70_000}"')
    path = saved(tmp_path / "a.webp", exif=large, xmp=packet.encode(), lossless=True)
    result, notes = result_of(path, tmp_path / f"b{suffix}")
    assert source_type(packet_in(result)) == SOURCE_TYPE
    wanted = ["JPEG cannot hold its EXIF and XMP, which is left out"]
    assert notes == (wanted if suffix == ".jpg" else [])


@pytest.mark.parametrize(
    "where",
    [
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="S-4711"><e:P xmlns:e="e">S-4711</e:P>{}',
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:e="e" e:place="S-4711">{}',
        "{}",
    ],
    ids=["an element beside", "an attribute beside", "inside"],
)
@pytest.mark.parametrize(
    "inside",
    [
        "<dc:source><rdf:Description><exif:GPSLatitude>S-4711</exif:GPSLatitude>"
        "</rdf:Description></dc:source>",
        '<dc:source><rdf:Description exif:GPSLatitude="S-4711"/></dc:source>',
        "<dc:coverage>S-4711</dc:coverage>",
        '<dc:source rdf:resource="uuid:S-4711"/>',
    ],
)
def test_no_place_travels_in_a_corner_of_a_packet(inside: str, where: str, tmp_path: Path) -> None:
    rdf = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/">'
        '<rdf:Description rdf:about="uuid:S-4711" exif:FNumber="28/10"><dc:title><rdf:Alt>'
        f'<rdf:li xml:lang="de">Bild</rdf:li></rdf:Alt></dc:title>{inside}</rdf:Description>'
        "</rdf:RDF>"
    )
    packet = where.format(rdf) + ("</x:xmpmeta>" if "xmpmeta" in where else "")
    result, _ = result_of(saved(tmp_path / "a.jpg", xmp=packet.encode()), tmp_path / "b.jpg")
    kept = packet_in(result)
    assert b"4711" not in kept
    assert b"28/10" in kept
    assert b'xml:lang="de">Bild' in kept
    assert source_type(kept) == SOURCE_TYPE


def packet_in(result: Image.Image) -> bytes:
    packet = result.info.get("xmp") or result.info["XML:com.adobe.xmp"]
    return packet if isinstance(packet, bytes) else packet.encode()


@pytest.mark.parametrize(
    "packet",
    [
        b"<a>" * 2000 + b"</a>" * 2000,
        b'<?xml version="1.0" encoding="martian"?><a/>',
        b'<?xml version="1.0" encoding="shift_jis"?><a/>',
        XMP.encode("utf-16"),
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b"\xff\xfe\x00\xd8" * 9,
        b"<a \0/>",
    ],
    ids=["deep", "unknown", "shift_jis", "utf-16", "entities in utf-16", "surrogates", "nul"],
)
def test_no_xmp_stops_a_swap(packet: bytes, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", xmp=packet)
    result, _ = result_of(path, tmp_path / "b.jpg")
    assert source_type(packet_in(result)) == SOURCE_TYPE
    assert b"ENTITY" not in packet_in(result)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".avif", ".gif", ".bmp"])
def test_a_damaged_file_is_read_or_refused_in_words(suffix: str, tmp_path: Path) -> None:
    try:
        path = saved(tmp_path / f"a{suffix}")
    except (KeyError, OSError):
        pytest.skip(f"this Pillow does not write {suffix}")
    data, rng = path.read_bytes(), np.random.default_rng(1)
    for _ in range(25):
        damaged = bytearray(data)
        for at in rng.integers(0, len(damaged), 6):
            damaged[at] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with contextlib.suppress(ImageError):
                photo.read(path)


def test_damaged_further_pages_are_noted(tmp_path: Path) -> None:
    pages = [Image.fromarray(PICTURE)] * 2
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    data = path.read_bytes()
    with Image.open(path) as opened:
        opened.seek(1)
        second = opened.tag_v2._offset
    path.write_bytes(data[:second] + b"\xff" * 40 + data[second + 40 :])
    taken = photo.read(path)
    np.testing.assert_array_equal(taken.image, PICTURE)
    assert len(taken.notes) == 1
