"""The catalogue for programs. Open to everyone, like its pages."""
