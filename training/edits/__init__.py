"""What is made of a photo for training: one function per edit, drawn from a seed.

Each takes the face that is edited and a random generator, and gives the picture as (S, S, 3)
float32 RGB 0..255, with the photo's own bits where it changed nothing.
"""
