"""Run an .onnx file in ONNX Runtime."""

import os


def load(file, threads=0, providers=("CPUExecutionProvider",)):
    """Return a call, images (n, *space, c) float32 to logits (n, *space, k) float32, and what the session is.

    threads: 0 for one a core. providers: execution providers, the preferred one first; one that this machine lacks is
    an error, for ONNX Runtime would go on with another without a word.
    """
    import onnxruntime

    lacking = [name for name in providers if name not in onnxruntime.get_available_providers()]
    if lacking:
        raise RuntimeError(f"{', '.join(lacking)} is not in this ONNX Runtime, which has {_listed(onnxruntime)}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(os.fspath(file), options, list(providers))
    used = session.get_providers()
    if used[0] != providers[0]:
        raise RuntimeError(f"{providers[0]} could not be started; the session would run on {used[0]}")
    name = session.get_inputs()[0].name

    def run(images):
        return session.run(None, {name: images})[0]

    return run, {"providers": used}


def _listed(onnxruntime):
    return ", ".join(onnxruntime.get_available_providers())
