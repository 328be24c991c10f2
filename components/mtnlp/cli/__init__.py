"""The commands: `mtnlp VERB`, `python -m mtnlp VERB` and `python -m spacy mtnlp VERB`.

One file per verb, which parses arguments and calls mtnlp. A verb's file is imported when the verb
is called or its help is asked for; what is slow to import (spaCy, torch) is imported inside the
verb's function, so that help texts and the completion of a shell come at once.
"""
