"""From texts to an answer, and an answer as text."""
