"""Finding a face, aligning it, following it, and putting a face back."""
