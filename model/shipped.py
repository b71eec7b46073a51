"""The weights that come with the toolkit, found from any folder and from an installed package."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

# A package folder on disk; an import from a zip file is not supported.
WEIGHTS_FOLDER = Path(str(importlib.resources.files("model"))) / "weights"
# What the pipeline, the apps and the examples use unless told otherwise: `model.lite`.
SHIPPED_GENERATOR = WEIGHTS_FOLDER / "mobilefsgan-lite.pt"
# The published network, `model.generator`.
PUBLISHED_GENERATOR = WEIGHTS_FOLDER / "mobilefsgan.pt"
SHIPPED_IDENTITY_ENCODER = WEIGHTS_FOLDER / "mobilefacenet.pt"
# What `training.keypoints` wrote; only training uses it.
SHIPPED_KEYPOINT_NET = WEIGHTS_FOLDER / "keypoints.pt"
SHIPPED_EMBEDDING_SIZE = 512
