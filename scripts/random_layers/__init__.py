"""Random layers and random questions, compared with torch and with each other."""
