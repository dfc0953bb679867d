"""Networks of layers: typed line by line, or published and known by name."""
