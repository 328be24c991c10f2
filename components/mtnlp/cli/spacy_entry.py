"""`python -m spacy mtnlp VERB`. spaCy imports this module at each `python -m spacy`."""

from spacy.cli._util import app as spacy_app

from .app import app

spacy_app.add_typer(app, name="mtnlp")
