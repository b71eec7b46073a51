"""How fast and how good the model files are, on what: programs, each run by its path."""
