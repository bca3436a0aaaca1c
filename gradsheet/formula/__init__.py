"""From formula text to tensors; knows no cell store and no window."""
