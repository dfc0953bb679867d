"""What the page shows, and the functions that its worker calls."""
