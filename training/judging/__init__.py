"""How good a generator is: scores, grids of pictures, tables."""
