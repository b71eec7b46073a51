"""Training the networks; imports model and pipeline, never export."""
