"""From a checkpoint to verified mobile models.

Importing a format module here would make `python -m export.onnx` load it twice.
"""
