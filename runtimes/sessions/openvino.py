"""Run an OpenVINO model (.xml beside its .bin, or an .onnx file) in OpenVINO."""

import os


def load(file, threads=0, precision="f32", device="CPU"):
    """Return a call, images (n, *space, c) float32 to logits (n, *space, k) float32, and what the session is.

    threads: 0 for one a core. precision: in which floats are computed, `f32`, `bf16` or `f16`. It is always set, for
    OpenVINO itself takes bfloat16 wherever the processor has it, and one that the device lacks is an error.
    """
    import openvino

    core = openvino.Core()
    if device.split(".")[0] not in {name.split(".")[0] for name in core.available_devices}:
        raise RuntimeError(f"there is no device {device}; OpenVINO sees {', '.join(core.available_devices)}")
    known = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
    wanted = {"f32": "FP32", "bf16": "BF16", "f16": "FP16"}[precision]
    if wanted not in known:
        raise RuntimeError(f"{device} does not compute in {wanted}; it has {', '.join(sorted(known))}")
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    if threads and device == "CPU":
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled = core.compile_model(os.fspath(file), device, settings)
    request = compiled.create_infer_request()

    def run(images):
        return request.infer({0: images}, share_inputs=True)[0].copy()

    used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    return run, {"precision": used, "kernels": _kernels(compiled)}


def _kernels(compiled):
    """How many convolutions run in which type, as the compiled graph says."""
    found = {}
    for node in compiled.get_runtime_model().get_ordered_ops():
        about = node.get_rt_info()
        if about["layerType"].astype(str) in ("Convolution", "Deconvolution"):
            kind = about["runtimePrecision"].astype(str)
            found[kind] = found.get(kind, 0) + 1
    return found
