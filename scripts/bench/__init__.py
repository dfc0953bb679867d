"""Benchmarks of the page and of counting: ratios, no limits."""
