"""Other runtimes and quantizers, called the same way as ours."""
