"""Work without a window: one module a command of the terminal."""
