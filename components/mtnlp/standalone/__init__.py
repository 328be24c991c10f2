"""What a pipeline without torch runs on: numpy, spaCy, `tokenizers`, and ONNX Runtime or OpenVINO.

`optimization.standalone.assemble` copies what is here, and what it uses of other rooms, into one
file that imports nothing of mtnlp. Definitions here have names of their own within that file, and
import only what is above; of other rooms they may take whatever itself keeps to that.
"""
