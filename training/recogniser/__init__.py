"""Training the identity encoder by distillation."""
