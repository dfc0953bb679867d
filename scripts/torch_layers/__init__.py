"""Torch's side of each layer: its module, what it counts, its definition on tiny shapes."""
