"""Reading and writing photos and films, with their labels and credentials."""
