"""Run a .tflite file in LiteRT (ai-edge-litert)."""

import os

import numpy as np


def load(file, threads=0):
    """Return a call, images (n, *space, c) float32 to logits (n, *space, k) float32, and what the session is.

    threads: 0 for one a core; the interpreter's own default is one in all. The file has one image size and one batch;
    images beyond that batch go one call after the other.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=os.fspath(file), num_threads=threads or os.cpu_count())
    interpreter.allocate_tensors()
    entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    batch, *rest = (int(edge) for edge in entry["shape"])

    def run(images):
        if list(images.shape[1:]) != rest or len(images) % batch:
            raise ValueError(
                f"images of shape {images.shape} came; {batch} of {tuple(rest)}, or a multiple, can be run"
            )
        made = []
        for start in range(0, len(images), batch):
            interpreter.set_tensor(entry["index"], images[start : start + batch])
            interpreter.invoke()
            made.append(interpreter.get_tensor(result["index"]))
        return made[0] if len(made) == 1 else np.concatenate(made)

    return run, _facts(interpreter)


def _facts(interpreter):
    """Operators of the file, how many a delegate took in how many parts, and the types its convolutions compute in."""
    operators = interpreter._get_ops_details()  # the only list of operators that the interpreter gives
    delegates = [entry for entry in operators if entry["op_name"] == "DELEGATE"]
    plain = [entry for entry in operators if entry["op_name"] != "DELEGATE"]
    types = {entry["index"]: np.dtype(entry["dtype"]).name for entry in interpreter.get_tensor_details()}
    kernels = {}
    for entry in plain:
        if "CONV" in entry["op_name"]:
            name = _kernel([types.get(int(index), "") for index in entry["inputs"]])
            kernels[name] = kernels.get(name, 0) + 1
    inside = _inside(delegates, plain)
    return {"operators": len(plain), "delegated": len(inside), "delegates": len(delegates), "convolutions": kernels}


def _kernel(types):
    """The type of a convolution: int8 where images and weights are, `int8 weights` where only these are."""
    if "float32" not in types and "int8" in types:
        return "int16x8" if "int16" in types else "int8"
    return "int8 weights" if "int8" in types else "float32"


def _inside(delegates, plain):
    """Indices of the operators between a delegate's inputs and outputs."""
    makers = {int(tensor): entry for entry in plain for tensor in entry["outputs"]}
    found = set()
    for delegate in delegates:
        entries = {int(tensor) for tensor in delegate["inputs"]}
        ahead = [int(tensor) for tensor in delegate["outputs"]]
        while ahead:
            maker = makers.get(ahead.pop())
            if maker is not None and maker["index"] not in found:
                found.add(maker["index"])
                ahead += [int(tensor) for tensor in maker["inputs"] if int(tensor) not in entries]
    return found
