"""`python -m mtnlp VERB`, and `torchrun … -m mtnlp train …`."""

from .cli.app import app

if __name__ == "__main__":
    app()
