"""Benchmark programs: latency, other runtimes, quantizers, profiles, reports."""
