"""Who confirms the worked examples, and the record of what they said."""
