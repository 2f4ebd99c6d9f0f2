#include "model/onnx_exporter.h"

#include "model/shared_library.h"

namespace flowqat::model {

const OnnxExporter& onnx_exporter() {
  using Factory = const OnnxExporter* (*)();
  static const OnnxExporter& opened = *reinterpret_cast<Factory>(
      open_library("flowqat_onnx", "flowqat_onnx_exporter", "ONNX", "protobuf"))();
  return opened;
}

}  // namespace flowqat::model
