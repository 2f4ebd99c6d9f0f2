"""The programs that bench/model_int8.py compares with, at their best settings, on the same weights.

Each was tried in several ways: OpenVINO reads PyTorch's model no faster than ONNX, NNCF's preset for transformers and
its mixed one are slower, and ONNX Runtime's linears alone in int8 too. A peer whose package is not installed is left
out, with a line that says so.
"""
import importlib.metadata
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from at_level import INSTRUCTIONS, processor_flags, reaches

PACKAGES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "nncf": "NNCF"}


def version_of(package):
    """None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def has_vnni():
    return bool(processor_flags() & {"avx512_vnni", "avx_vnni"})


def processor():
    """What measures here: the processor's name, its level of instructions, and the peers' versions."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    levels = [level for level in INSTRUCTIONS if reaches(level)]
    versions = [f"{name} {version_of(package)}" for package, name in PACKAGES.items() if version_of(package)]
    return f"{name}, level {levels[-1]}, {'with' if has_vnni() else 'without'} VNNI; {', '.join(versions)}"


class Peers:
    """`int8` and `float32`: functions by name that recognise the utterance once and return its logits."""

    def __init__(self, folder, samples, threads):
        self.folder, self.samples, self.threads = folder, samples, threads
        self.int8, self.float32, self.skipped = {}, {}, []
        if self.has("onnxruntime", "onnx"):
            self.add_onnx_runtime()
        if self.has("openvino"):
            self.add_openvino()

    def has(self, *packages):
        missing = [package for package in packages if not version_of(package)]
        if missing:
            self.skipped.append(f"skipped: {PACKAGES[packages[0]]}: no {missing[0]} here (.venv/bin/pip install "
                                f"{missing[0]})")
        return not missing

    def add_onnx_runtime(self):
        model = self.folder / "model.onnx"
        self.float32["ONNX Runtime"] = self.onnx_runtime(model)
        quantized = self.quantized_by_onnx_runtime(model)
        if has_vnni():  # exact as it is
            self.int8["ONNX Runtime int8"] = self.onnx_runtime(quantized)
        else:
            self.int8["ONNX Runtime int8, exact"] = self.onnx_runtime(quantized, {"session.x64quantprecision": "1"})
            self.int8["ONNX Runtime int8, saturating"] = self.onnx_runtime(quantized)

    def onnx_runtime(self, path, settings=None):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # or it slows the others down
        for key, value in (settings or {}).items():
            options.add_session_config_entry(key, value)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = {session.get_inputs()[0].name: self.samples}
        return lambda: session.run(None, inputs)[0]

    def quantized_by_onnx_runtime(self, model):
        """Static QDQ, weights by channel, convolutions and linears."""
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

        class OneUtterance(CalibrationDataReader):
            def __init__(self, inputs):
                self.left = [inputs]

            def get_next(self):
                return self.left.pop() if self.left else None

        logging.getLogger().setLevel(logging.ERROR)
        prepared, quantized = self.folder / "prepared.onnx", self.folder / "int8.onnx"
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
        quantize_static(prepared, quantized, OneUtterance({"samples": self.samples}), quant_format=QuantFormat.QDQ,
                        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        op_types_to_quantize=["Conv", "MatMul", "Gemm"])
        return quantized

    def add_openvino(self):
        import openvino

        core = openvino.Core()
        model = core.read_model(self.folder / "model.onnx")
        self.float32["OpenVINO"] = self.openvino(core, model, "f32")
        if not self.has("nncf"):
            return
        import nncf

        logging.getLogger("nncf").setLevel(logging.ERROR)
        quantized = nncf.quantize(core.read_model(self.folder / "model.onnx"), nncf.Dataset([self.samples]),
                                  subset_size=1, preset=nncf.QuantizationPreset.PERFORMANCE)
        self.int8["OpenVINO int8 (NNCF)"] = self.openvino(core, quantized, "f32")
        if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):  # where it is OpenVINO's default
            self.int8["OpenVINO int8 (NNCF), rest in bf16"] = self.openvino(core, quantized, "bf16")

    def openvino(self, core, model, precision):
        model.reshape(list(self.samples.shape))
        compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": self.threads, "PERFORMANCE_HINT": "LATENCY",
                                                     "INFERENCE_PRECISION_HINT": precision})
        return lambda: compiled([self.samples])[0]
