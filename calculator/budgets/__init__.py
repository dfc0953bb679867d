"""Totals without layers: training runs, the memory of a model, units."""
