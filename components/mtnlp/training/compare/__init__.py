"""Side-by-side runs: a grid of configs, trained one after another, each in its own process."""
