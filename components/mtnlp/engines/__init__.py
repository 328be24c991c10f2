"""Runtimes for the encoder of a trained pipeline, a file each."""
