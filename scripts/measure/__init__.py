"""Timed runs of real layers, to compare with their floors."""
