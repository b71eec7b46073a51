"""Edits of a face for training, one function each, and the shards that edited photos are stored in.

Each edit takes an `EditedFace` and a random generator. It returns the picture as (S, S, 3) float32
RGB in 0..255; pixels that the edit does not touch keep their values exactly. The vocabulary
of all modules here: the head's axes are right and down along the face, with the origin between the
brows, and their unit is the distance between the eyes.
"""
