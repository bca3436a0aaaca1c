"""The gradient-descent lab without a window: its functions, planes, races and benches."""
