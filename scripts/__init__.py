"""Programs that build, check and measure; none of them is shipped."""
