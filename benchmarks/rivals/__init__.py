"""Other runtimes and quantizers, behind the same interface as the toolkit's own."""
