"""TensorRT, which no machine of ours has: its calls go to a stand-in that computes with ONNX Runtime.

The stand-in has the names and signatures that NVIDIA's Python documentation of TensorRT 10 and 11 gives. That the file
is right, that buffers are filled, run and fetched in order and that errors are told is tested; kernels are not.
"""

import ctypes
import importlib.util
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from unetbench.benchmark.deploy.trained import recast
from unetbench.core.errors import Unavailable
from unetbench.core.processor import usable
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.runtimes.conversion import Conversion
from unetbench.runtimes.file_runtime import file_runtime
from unetbench.runtimes.same_labels import dice_of, labels_of

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime stands in for TensorRT")


class Status(int):
    """A cudaError_t."""

    name = "cudaErrorMemoryAllocation"


class Cuda:
    """Memory of a device that is host memory, in which work waits until its stream is waited for."""

    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)

    def __init__(self):
        self.arrays, self.queue, self.full, self.devices = {}, [], False, 1

    def cudaGetDeviceCount(self):
        return Status(0), self.devices

    def cudaMalloc(self, size):
        if self.full:
            return Status(2), None
        array = np.zeros(size, np.uint8)
        self.arrays[array.ctypes.data] = array
        return Status(0), array.ctypes.data

    def cudaStreamCreate(self):
        return Status(0), 7

    def cudaMemcpyAsync(self, to, of, size, kind, stream):
        assert stream == 7
        assert (to if kind == 1 else of) in self.arrays
        self.queue.append(lambda: ctypes.memmove(to, of, size))
        return (Status(0),)

    def cudaStreamSynchronize(self, stream):
        assert stream == 7
        for work in self.queue:
            work()
        self.queue.clear()
        return (Status(0),)


def _tensorrt(cuda, flags):
    def engine_of(plan):
        session = onnxruntime.InferenceSession(plan.content)
        tensors = [*session.get_inputs(), *session.get_outputs()]
        shapes = {tensor.name: tensor.shape for tensor in tensors}
        places = {}

        def array(name):
            shape = shapes[name]
            return cuda.arrays[places[name]][: 4 * int(np.prod(shape))].view(np.float32).reshape(shape)

        def work():
            array(tensors[-1].name)[:] = session.run(None, {"images": array("images")})[0]

        def execute_async_v3(stream):
            assert stream == 7
            cuda.queue.append(work)
            return True

        context = SimpleNamespace(set_tensor_address=places.__setitem__, execute_async_v3=execute_async_v3)
        return SimpleNamespace(
            num_io_tensors=len(tensors),
            get_tensor_name=lambda k: tensors[k].name,
            get_tensor_mode=lambda name: "in" if name == "images" else "out",
            get_tensor_shape=shapes.__getitem__,
            create_execution_context=lambda: context,
        )

    class Parser:
        def __init__(self, network, logger):
            self.network = network

        def parse(self, content):
            self.network.content = content
            return content[:1] != b"?"

        def get_error(self, number):
            return SimpleNamespace(desc=lambda: "no such operator")

    class Logger:
        ERROR = 1

        def __init__(self, severity):
            pass

    cleared = []
    builder = SimpleNamespace(
        create_network=lambda asked: SimpleNamespace(asked=asked, nbytes=100),
        create_builder_config=lambda: SimpleNamespace(clear_flag=cleared.append),
        build_serialized_network=lambda network, config: network if cleared == ["TF32"] else None,
    )
    return SimpleNamespace(
        __version__="stand-in",
        Logger=Logger,
        Builder=lambda logger: builder,
        OnnxParser=Parser,
        NetworkDefinitionCreationFlag=flags,
        BuilderFlag=SimpleNamespace(TF32="TF32"),
        Runtime=lambda logger: SimpleNamespace(deserialize_cuda_engine=engine_of),
        TensorIOMode=SimpleNamespace(INPUT="in"),
    )


@pytest.fixture
def cuda(monkeypatch):
    """The stand-ins as the packages `tensorrt` and `cuda`."""
    made = Cuda()
    monkeypatch.setitem(sys.modules, "tensorrt", _tensorrt(made, SimpleNamespace(STRONGLY_TYPED=1)))
    bindings = SimpleNamespace(runtime=made)
    monkeypatch.setitem(sys.modules, "cuda", SimpleNamespace(bindings=bindings))
    monkeypatch.setitem(sys.modules, "cuda.bindings", bindings)
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", made)
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A network, and the files of both runtimes."""
    keras.utils.set_random_seed(0)
    network = MODELS["unet"](Task(2, 2, ("a", "b", "c"), "exclusive"), width=8, depth=2, normalisation="batch")
    folder = tmp_path_factory.mktemp("tensorrt")
    images = np.random.default_rng(0).standard_normal((8, 32, 48, 2), np.float32)
    conversion = Conversion(network, (32, 48), 1, folder, lambda: recast(network, "float32"), images, "exclusive")
    made = {name: folder / f"{name}.onnx" for name in ("tensorrt", "tensorrt_int8")}
    for name, file in made.items():
        file_runtime(name, {}).convert(conversion, file)
    return conversion, made


def _load(file):
    kind = file_runtime("tensorrt", {})
    spec = importlib.util.spec_from_file_location("session", kind.script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(file)


def _logits(conversion, images):
    return keras.ops.convert_to_numpy(conversion.model(images, training=False))


def test_images_reach_the_engine_one_batch_after_the_other_and_logits_come_back(cuda, files):
    run, facts = _load(files[1]["tensorrt"])
    images = files[0].calibration[:3]
    np.testing.assert_allclose(run(images), _logits(files[0], images), atol=1e-5)
    again = images[::-1]  # not contiguous
    np.testing.assert_allclose(run(again), _logits(files[0], again), atol=1e-5)
    assert facts == {"tensorrt": "stand-in", "engine_bytes": 100}


def test_int8_is_around_zero_with_biases_in_float32_as_tensorrt_demands(cuda, files):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(str(files[1]["tensorrt_int8"])).graph
    constants = {entry.name: onnx.numpy_helper.to_array(entry) for entry in graph.initializer}
    pairs = [node for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    zeros = [constants[node.input[2]] for node in pairs]
    assert len(zeros) > 20
    assert all(zero.dtype == np.int8 and not zero.any() for zero in zeros)
    images = files[0].calibration
    runs = _load(files[1]["tensorrt_int8"])[0](images), _logits(files[0], images)
    # ONNX Runtime, which computes here, saturates sums of eight-bit products without VNNI: 0.73 with AVX2.
    exact = any("vnni" in name.lower() for name in usable())
    assert dice_of(*(labels_of(logits, "exclusive") for logits in runs)) > (0.9 if exact else 0.6)


@pytest.mark.parametrize("shape", [(1, 16, 48, 2), (1, 32, 48, 3)])
def test_images_of_another_size_are_refused_before_they_are_copied(cuda, files, shape):
    run, _ = _load(files[1]["tensorrt"])
    with pytest.raises(ValueError, match=r"came; 1 of \(32, 48, 2\), or a multiple, can be run"):
        run(np.zeros(shape, np.float32))
    assert not cuda.queue


def test_what_goes_wrong_on_the_device_is_named(cuda, files, tmp_path):
    cuda.full = True
    with pytest.raises(RuntimeError, match="CUDA: cudaErrorMemoryAllocation"):
        _load(files[1]["tensorrt"])
    (tmp_path / "bad.onnx").write_bytes(b"?")
    with pytest.raises(RuntimeError, match=r"TensorRT does not read bad\.onnx: no such operator"):
        _load(tmp_path / "bad.onnx")


def test_without_a_gpu_or_the_packages_it_is_unavailable(cuda, monkeypatch):
    kind = file_runtime("tensorrt", {})
    cuda.devices = 0
    assert kind.device() == "there is no NVIDIA GPU here"
    monkeypatch.delitem(sys.modules, "tensorrt")
    monkeypatch.delitem(sys.modules, "cuda")
    with pytest.raises(Unavailable, match=r"tensorrt, cuda-python not installed: pip install 'unetbench\[tensorrt\]'"):
        kind.require("tensorrt", 2)


def test_since_11_there_is_no_flag_for_the_types_of_the_file(cuda, files, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", _tensorrt(cuda, SimpleNamespace()))
    images = files[0].calibration
    np.testing.assert_allclose(_load(files[1]["tensorrt"])[0](images), _logits(files[0], images), atol=1e-5)
