"""A small network that sees where eyes, nose, mouth and ears of an aligned face are.

It stands in for a detector in the generator's training, for a loss needs a gradient. It learns from
BlazeFace's keypoints, and the pose error of `training.evaluate` is judged by the face mesh, which
no training here looks at.
"""
