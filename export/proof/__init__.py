"""Every model file held against PyTorch: samples, parity, golden samples, diagnosis."""
