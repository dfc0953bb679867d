"""Layers made of layers: attention blocks, transformers, chains."""
