"""The pipeline reads the labels that the web page writes, and they say what its own say."""

import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from pipeline.media import label, photo

# Node.js runs the page's own modules on a picture that stands for a canvas's.
_LABEL = """
import { readFileSync, writeFileSync } from 'node:fs';
import { xmpPacket } from '{root}/web_demo/page/label.js';
import { jpegWithXmp, pngWithXmp } from '{root}/web_demo/page/metadata.js';
const [format, from, to] = process.argv.slice(1);
const write = format === 'PNG' ? pngWithXmp : jpegWithXmp;
writeFileSync(to, write(new Uint8Array(readFileSync(from)), xmpPacket()));
"""


@pytest.fixture(scope="module", autouse=True)
def node() -> str:
    found = shutil.which("node")
    if found is None:
        assert os.environ.get("CI") != "true", "CI needs Node.js"
        pytest.skip("Node.js 20 or newer is not installed: it runs the page's modules")
    return found


def labelled(node: str, format: str, plain: bytes, folder: Path) -> Path:
    given, made = folder / "plain", folder / "labelled"
    given.write_bytes(plain)
    script = _LABEL.replace("{root}", ROOT.as_uri())
    subprocess.run(
        [node, "--input-type=module", "-e", script, format, given, made], check=True, timeout=20
    )
    return made


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_the_pipeline_reads_what_the_page_writes(node: str, format: str, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    plain = io.BytesIO()
    Image.fromarray(picture).save(plain, format)
    read = photo.read(labelled(node, format, plain.getvalue(), tmp_path))
    assert read.xmp is not None
    assert label.source_type(read.xmp) == label.SOURCE_TYPE
    assert np.array_equal(read.image, np.asarray(Image.open(plain)))


def test_the_page_s_packet_is_the_pipeline_s(node: str, tmp_path: Path) -> None:
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "PNG")
    made = labelled(node, "PNG", plain.getvalue(), tmp_path).read_bytes()
    assert label.xmp_packet() in made
