"""Test vectors that all three apps replay: inputs, and what this pipeline makes of them."""
