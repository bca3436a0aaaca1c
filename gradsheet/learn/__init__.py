"""What Excel calls Solver: optimizers, schedules, problems and the training loop."""
