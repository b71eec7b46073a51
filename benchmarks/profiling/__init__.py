"""Where the time of one model file goes."""
