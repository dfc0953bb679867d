"""Charts as Vega-Lite specifications and tables."""
