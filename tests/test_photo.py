import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from model.errors import BadInput, ImageError, UsageError
from pipeline.media import heif, photo
from pipeline.media.label import SOURCE_TYPE, source_type, stamp, xmp_packet

PICTURE = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def exif(**tags: object) -> Image.Exif:
    made = Image.Exif()
    made.update({ExifTags.Base[name].value: value for name, value in tags.items()})
    return made


def roundtrip(path: Path, output: Path) -> Image.Image:
    taken = photo.read(path)
    photo.write(output, taken, taken.image, xmp_packet(taken.xmp))
    return Image.open(output)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_upright_and_stays_so(orientation: int, tmp_path) -> None:
    upright = Image.fromarray(PICTURE)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that makes the stored one
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    path = saved(tmp_path / "a.png", stored, exif=exif(Orientation=orientation))
    np.testing.assert_array_equal(photo.read(path).image, PICTURE)
    with roundtrip(path, tmp_path / "b.png") as result:
        np.testing.assert_array_equal(ImageOps.exif_transpose(result), PICTURE)


def test_the_cameras_notes_are_kept_and_its_thumbnail_is_not(tmp_path) -> None:
    notes = exif(Make="Camera", Orientation=1)
    notes.get_ifd(1)[0x0201] = 10  # a thumbnail would show the face as it was
    path = saved(tmp_path / "a.jpg", Image.fromarray(PICTURE), exif=notes)
    with roundtrip(path, tmp_path / "b.jpg") as result:
        assert result.getexif()[0x010F] == "Camera"
        assert not result.getexif().get_ifd(1)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_transparency_is_kept(suffix: str, tmp_path) -> None:
    rgba = np.dstack([PICTURE, np.arange(600, dtype=np.uint16).reshape(20, 30) % 256]).astype(
        np.uint8
    )
    path = saved(tmp_path / "a.png", Image.fromarray(rgba))
    with roundtrip(path, tmp_path / f"b{suffix}") as result:
        np.testing.assert_array_equal(np.asarray(result)[..., 3], rgba[..., 3])


def test_transparency_into_jpeg_is_refused_in_words(tmp_path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGBA", (9, 9), (1, 2, 3, 4)))
    with pytest.raises(ImageError, match=r"cannot hold transparency; write \.png"):
        roundtrip(path, tmp_path / "b.jpg")
    assert not (tmp_path / "b.jpg").exists()


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "RGB", "RGBA"])
def test_pixels_of_every_kind_come_back_as_they_were(mode: str, tmp_path) -> None:
    picture = Image.fromarray(PICTURE).convert(mode)
    path = saved(tmp_path / "a.png", picture)
    with roundtrip(path, tmp_path / "b.png") as result:
        np.testing.assert_array_equal(result.convert("RGBA"), picture.convert("RGBA"))
        assert (result.mode in ("L", "LA")) == (mode in ("L", "1", "LA"))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_become_8_and_it_is_said(suffix: str, channels: int, tmp_path) -> None:
    import cv2

    deep = PICTURE[..., :channels].astype(np.uint16) * 257
    path = tmp_path / f"a{suffix}"
    assert cv2.imwrite(str(path), deep[..., ::-1].squeeze())
    taken = photo.read(path)
    assert taken.notes == ("16 bits per channel become 8",)
    np.testing.assert_array_equal(taken.image[..., :channels], PICTURE[..., :channels])


def test_cmyk_becomes_rgb_and_it_is_said(tmp_path) -> None:
    path = saved(tmp_path / "a.tif", Image.new("CMYK", (9, 9), (0, 255, 255, 0)))
    taken = photo.read(path)
    assert taken.notes == ("CMYK becomes RGB",)
    assert taken.image[4, 4].tolist() == [255, 0, 0]


def test_a_colour_profile_is_kept(tmp_path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(tmp_path / "a.jpg", Image.fromarray(PICTURE), icc_profile=profile)
    with roundtrip(path, tmp_path / "b.png") as result:
        assert result.info["icc_profile"] == profile


def test_heif_is_read_and_written(tmp_path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    grey = np.full((64, 64, 3), 128, np.uint8)
    path = saved(tmp_path / "a.heic", Image.fromarray(grey), quality=95)
    with roundtrip(path, tmp_path / "b.heic") as result:
        assert result.format == "HEIF"
        np.testing.assert_allclose(np.asarray(result), grey, atol=4)
        assert source_type(result.info["xmp"]) == SOURCE_TYPE


def test_heif_is_known_by_its_content_whatever_it_is_called(tmp_path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    made = saved(tmp_path / "a.heic", Image.new("RGB", (64, 48), (90, 90, 90)))
    phone = made.rename(tmp_path / "IMG_0001.jpg")
    code = (
        "import sys; from pathlib import Path; from pipeline.media import photo\n"
        "print(photo.read(Path(sys.argv[1])).image.shape)"
    )  # another process: this one has taught Pillow HEIF already
    command = [sys.executable, "-c", code, str(phone)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stdout == "(48, 64, 3)\n", result.stderr


def test_a_jpeg_that_is_called_heic_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(heif, "register", lambda _: pytest.fail("not needed"))
    path = saved(tmp_path / "a.jpg", Image.fromarray(PICTURE)).rename(tmp_path / "a.heic")
    assert photo.read(path).image.shape == PICTURE.shape


def test_a_video_that_is_called_jpg_is_said_to_be_one(tmp_path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypisom" + bytes(40))
    with pytest.raises(ImageError, match="holds a video by its content"):
        photo.read(tmp_path / "a.jpg")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [10, 12])
def test_fewer_bits_in_16_are_not_black(bits: int, channels: int, tmp_path) -> None:
    import cv2

    deep = PICTURE[..., :channels].astype(np.uint16) << (bits - 8)
    assert cv2.imwrite(str(tmp_path / "a.tif"), deep[..., ::-1].squeeze())
    taken = photo.read(tmp_path / "a.tif")
    assert taken.notes == (f"{bits} bits in 16 per channel become 8",)
    np.testing.assert_array_equal(taken.image[..., :channels], PICTURE[..., :channels])


@pytest.mark.parametrize("value", [2**20, -1])
def test_integers_of_32_bits_are_refused_in_words(value: int, tmp_path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.full((9, 9), value, np.int32)))
    with pytest.raises(ImageError, match="holds 32-bit integers; expected 8 or 16 bits"):
        photo.read(path)


def test_a_pipe_is_refused_at_once(tmp_path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match="is a device or a pipe"):
        photo.read(tmp_path / "a.jpg")


def test_a_picture_too_wide_for_its_format_is_refused_in_words(tmp_path) -> None:
    wide = np.zeros((1, 20_000, 3), np.uint8)
    with pytest.raises(ImageError, match=r"a\.webp cannot be written"):
        photo.write(tmp_path / "a.webp", photo.Photo(wide), wide)


def test_an_animation_is_refused_in_words(tmp_path) -> None:
    frames = [Image.new("RGB", (9, 9), (i, 0, 0)) for i in range(3)]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="animation of 3 frames"):
        photo.read(path)


def test_pages_left_out_are_noted(tmp_path) -> None:
    pages = [Image.new("RGB", (9, 9)), Image.new("RGB", (9, 9))]
    path = saved(tmp_path / "a.tif", pages[0], save_all=True, append_images=pages[1:])
    assert photo.read(path).notes == ("the first of 2 pages is taken, the others are left out",)


def test_a_huge_picture_is_refused_before_it_is_unpacked(tmp_path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(ImageError, match=r"too large \(400 million\); expected up to 120"):
        photo.read(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_truncated_file_is_refused_in_words(suffix: str, tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 3), dtype=np.uint8)
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match="expected a"):
        photo.read(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"no picture", "no picture that can be read"),
        (b"\0\0\0\x1cftypavif" + b"\xff" * 50, "no picture that can be read"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes, message: str, tmp_path) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ImageError, match=message):
        photo.read(tmp_path / "a.jpg")


def test_a_missing_file_is_refused_in_words(tmp_path) -> None:
    with pytest.raises(ImageError, match="No such file"):
        photo.read(tmp_path / "a.jpg")


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BadInput, match="No space left"):
        photo.write(path, photo.Photo(PICTURE), PICTURE)
    assert path.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_every_kind_of_photo_carries_the_digital_source_type(suffix: str, tmp_path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(PICTURE))
    with roundtrip(path, tmp_path / f"b{suffix}") as result:
        result.load()
        packet = result.info.get("xmp") or result.info["XML:com.adobe.xmp"].encode()
    assert source_type(packet) == SOURCE_TYPE


def test_what_a_photo_said_before_is_kept_beside_the_label() -> None:
    before = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/jpeg" '
        b'xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" i:DigitalSourceType="camera"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    packet = xmp_packet(before)
    assert source_type(packet) == SOURCE_TYPE
    assert b"image/jpeg" in packet
    assert b"camera" not in packet


def test_orientation_and_small_picture_in_xmp_do_not_outlive_the_original(tmp_path) -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Make="Camera" '
        b'xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:Thumbnails>jpeg</xmp:Thumbnails>'
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    path = saved(tmp_path / "a.jpg", Image.fromarray(PICTURE), xmp=packet)
    kept = photo.read(path).xmp
    assert kept is not None
    assert b"Camera" in kept
    assert b"Orientation" not in kept
    assert b"Thumbnails" not in kept


@pytest.mark.parametrize("broken", [b"no xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"])
def test_a_broken_packet_is_replaced(broken: bytes) -> None:
    assert source_type(xmp_packet(broken)) == SOURCE_TYPE


@pytest.mark.parametrize("shape", [(720, 1280), (64, 64), (5, 7)])
def test_the_badge_fits_any_picture_and_stays_in_its_corner(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 100, np.uint8)
    stamp(image)
    changed = (image != 100).any(axis=2)
    assert changed.any()
    if shape[0] > 100:
        assert not changed[: shape[0] * 9 // 10].any()


def test_a_png_text_of_the_user_does_not_stop_the_label(tmp_path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "me")
    path = saved(tmp_path / "a.png", Image.fromarray(PICTURE), pnginfo=info)
    with roundtrip(path, tmp_path / "b.png") as result:
        assert source_type(result.info["XML:com.adobe.xmp"].encode()) == SOURCE_TYPE


def test_an_unknown_suffix_is_refused_in_words(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"unknown suffix '\.xyz'"):
        photo.write(tmp_path / "a.xyz", photo.Photo(PICTURE), PICTURE)
