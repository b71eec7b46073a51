"""Running a swap: backends, pictures, metrics. Importing this package loads nothing heavy."""
