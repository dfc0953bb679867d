"""Devices and their rates, and how long work takes on them."""
