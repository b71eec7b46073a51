"""Profiles of one model file, and the machine's peak rates."""
