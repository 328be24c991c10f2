"""A training config for a fold: the config as it is, on other files."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from thinc.api import Config

from ...data.corpus_settings import CorpusSettings
from ...errors import Errors, MtnlpError

SPACY_CORPUS = "spacy.Corpus.v1"
MIXED_CORPUS = "mtnlp.MixedCorpus.v1"
TRAIN, DEV = "train", "dev"


class TrainingCorpora:
    """The corpora of a config's training, and which file of the checked corpus each one reads.

    config: the training config, its variables not filled in. files: the names of the checked files.
    A corpus of `mtnlp.MixedCorpus.v1` reads the file that is called as its own is; where there is
    one corpus alone, it reads all files. Others, such as those of another task, stay as they are.

    settings: by the name of a file, how its layers are moved when it is read; None where they are
        not.
    Raises: MtnlpError E722 for a reader that cannot be pointed to other files, and for a file that
    no corpus reads.
    """

    def __init__(self, config: Config, files: List[str]) -> None:
        self.config = config
        filled = config.interpolate()
        self.name = str(filled["training"].get("train_corpus", "corpora.train"))
        self.dev_name = str(filled["training"].get("dev_corpus", "corpora.dev"))
        block = _find(filled, self.name)
        self.settings: Dict[str, Optional[CorpusSettings]] = {}
        self._entries: Dict[str, str] = {}
        reader = block.get("@readers")
        if reader == SPACY_CORPUS:
            self.settings = dict.fromkeys(files)
        elif reader == MIXED_CORPUS:
            self._match(block["corpora"], files)
        else:
            raise MtnlpError(Errors.E722.format(what=f"the reader {reader}", name=self.name))

    def _match(self, corpora: Mapping[str, Dict[str, Any]], files: List[str]) -> None:
        known = {name: CorpusSettings.from_config(name, block) for name, block in corpora.items()}
        for file in files:
            alone = [name for name in known if len(known) == 1]
            called = [name for name, entry in known.items() if entry.path.name == file]
            if not (called or alone):
                raise MtnlpError(Errors.E722.format(what=f"no corpus for {file}", name=self.name))
            self._entries[file] = [*called, *alone][0]
            self.settings[file] = known[self._entries[file]]

    def on_fold(self, folder: Path) -> Config:
        """The config for a fold.

        folder: holds the folders `train` and `dev`, each with files of the names that were checked;
        `dev` need not have all of them.
        """
        config = self.config.copy()
        block = _find(config, self.name)
        dev: Dict[str, Any] = {"@readers": block["@readers"]}
        if self._entries:
            dev.update(shuffle=False, corpora={})
            for entry in dict.fromkeys(self._entries.values()):
                settings = block["corpora"][entry]
                # Of a corpus that is drawn from, not all labels would have been learnt.
                settings.pop("limit", None)
                files = [file for file, owner in self._entries.items() if owner == entry]
                parts = {part: _common(folder / part, files) for part in (TRAIN, DEV)}
                settings["path"] = str(parts[TRAIN])
                if parts[DEV].exists():
                    dev["corpora"][entry] = {**settings, "path": str(parts[DEV])}
        else:
            block["path"] = str(folder / TRAIN)
            dev["path"] = str(folder / DEV)
        section, _, name = self.dev_name.rpartition(".")
        _find(config, section)[name] = dev
        return config


def _common(folder: Path, files: List[str]) -> Path:
    """The path at which a reader finds some of the files of a folder, if they are all or one."""
    return folder / files[0] if len(files) == 1 else folder


def _find(config: Config, name: str) -> Any:
    """The block of a dotted name; changes to it change the config."""
    block: Any = config
    for key in name.split("."):
        block = block[key]
    return block
