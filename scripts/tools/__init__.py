"""The counting tools, run in environments of their own."""
