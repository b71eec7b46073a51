"""Training the generator: losses, discriminators, one step, its configuration."""
