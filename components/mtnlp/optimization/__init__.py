"""From a trained pipeline to a fast one: what could run its encoder, what each is worth on this
machine, and the fastest that is as good."""
