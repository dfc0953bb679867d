"""Layers as `torch.nn` has them: one module per family, and the bases they share."""
