"""From 32-bit floats to 8 bits: calibration, ranges, weights, one module per format."""
