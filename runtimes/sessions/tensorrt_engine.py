"""Build a TensorRT engine from an .onnx file on an NVIDIA GPU, and run it."""

from importlib import import_module
from pathlib import Path

import numpy as np


def load(file, threads=0):
    """Return a call, images (n, *space, c) float32 to logits (n, *space, k) float32, and what the session is.

    The engine is built here, each time anew, since it serves one model of GPU and one version of TensorRT; that can
    take minutes. Layers compute in the types of the file, float32 without TensorFloat-32. threads: of no effect.
    Images beyond the file's batch go one call after the other.
    """
    tensorrt, cuda = import_module("tensorrt"), import_module("cuda.bindings.runtime")
    plan = _built(tensorrt, Path(file))
    engine = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.ERROR)).deserialize_cuda_engine(plan)
    context = engine.create_execution_context()
    shapes, places = {}, {}
    for number in range(engine.num_io_tensors):
        name = engine.get_tensor_name(number)
        entry = engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT
        shapes[entry] = tuple(engine.get_tensor_shape(name))
        places[entry] = _checked(cuda.cudaMalloc(4 * int(np.prod(shapes[entry]))))
        context.set_tensor_address(name, int(places[entry]))
    stream = _checked(cuda.cudaStreamCreate())
    batch, *rest = shapes[True]
    to_device, to_host = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost

    def run(images):
        if list(images.shape[1:]) != rest or len(images) % batch:
            raise ValueError(
                f"images of shape {images.shape} came; {batch} of {tuple(rest)}, or a multiple, can be run"
            )
        images = np.ascontiguousarray(images, np.float32)
        made = np.empty((len(images), *shapes[False][1:]), np.float32)
        for start in range(0, len(images), batch):
            given, taken = images[start : start + batch], made[start : start + batch]
            _checked(cuda.cudaMemcpyAsync(places[True], given.ctypes.data, given.nbytes, to_device, stream))
            if not context.execute_async_v3(int(stream)):
                raise RuntimeError("TensorRT could not start the engine")
            _checked(cuda.cudaMemcpyAsync(taken.ctypes.data, places[False], taken.nbytes, to_host, stream))
        _checked(cuda.cudaStreamSynchronize(stream))
        return made

    return run, {"tensorrt": tensorrt.__version__, "engine_bytes": plan.nbytes}


def _built(tensorrt, file):
    """The engine in bytes. Since version 11 networks always compute in the types of the file; before, when asked to."""
    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    builder = tensorrt.Builder(logger)
    typed = getattr(tensorrt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(0 if typed is None else 1 << int(typed))
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse(file.read_bytes()):
        raise RuntimeError(f"TensorRT does not read {file.name}: {parser.get_error(0).desc()}")
    config = builder.create_builder_config()
    config.clear_flag(tensorrt.BuilderFlag.TF32)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise RuntimeError(f"TensorRT built no engine from {file.name}; its messages above say why")
    return plan


def _checked(answer):
    """What a call of CUDA returns beside its status, or 0. Raises RuntimeError naming a status that is no success."""
    status, *found = answer
    if int(status):
        raise RuntimeError(f"CUDA: {status.name}")
    return found[0] if found else 0
