"""Rating tables: reading them, keeping them compactly, and making them up."""
