"""Timing: workers, interleaved runs, result rows, tables and plots."""
