"""The docks of the gradient-descent lab, and what only they draw with."""
