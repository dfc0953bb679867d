"""What everything else is declared with: calculations, fields, symbols, units."""
