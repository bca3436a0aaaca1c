"""What lies around the grid; no panel knows another."""
