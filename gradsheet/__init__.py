"""A spreadsheet that can learn: formulas compile to PyTorch, every cell has a gradient."""

__version__ = "0.1.0"
