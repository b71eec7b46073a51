"""A result row as a demo app writes it."""

# Only what the contract asks for.
FROM_A_PHONE = {
    "schema": 1,
    "source": "android",
    "device": {"model": "Pixel", "os": "16", "soc": "Tensor", "cores": 8},
    "app": {"version": "1.0", "commit": "abc"},
    "model": {"name": "generator", "file": "generator-int8.tflite", "sha256": "00",
              "format": "tflite", "precision": "int8", "bytes": 2740000},
    "backend": {"requested": "gpu", "used": "cpu", "threads": 4, "partitions": 1},
    "runs": {"warmup": 5, "n": 2},
    "load_ms": 12.5, "first_ms": 40.0, "peak_rss_mb": 200.0,
    "stages": {"total": {"n": 2, "mean_ms": 31.0, "p50_ms": 31.0, "p90_ms": 33.0, "p99_ms": 34.0,
                         "min_ms": 30.0, "max_ms": 34.0}},
    "thermal": {"before": "none", "after": "light"},
    "check": {"psnr_db": 41.0, "max_abs": 0.1},
    "how": "measured",
}  # fmt: skip
