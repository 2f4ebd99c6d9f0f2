# shellcheck shell=bash
# shellcheck disable=SC2034  # read by setup.sh
# Every version that the project pins. setup.sh installs these and nothing else by name; a change here
# is noticed at the next run of either command and installed.

TORCH=torch==2.11.0

# All that libtorch_cpu.so needs beside itself. These two are what cuda-toolkit==13.0.2 stands for,
# which the metadata of the wheel above asks for: change the three together.
TORCH_SMALL=(
  "$TORCH"
  nvidia-cuda-runtime==13.0.96
  nvidia-cuda-cupti==13.0.85
)

# `import torch` in Python and training on a GPU need everything that the wheel depends on (pinned by
# its own metadata); the others are what the parity tests compare with, and the
# last looks through the Python files.
TORCH_FULL=(
  "${TORCH_SMALL[@]}"
  transformers==5.23.0
  tokenizers==0.23.3
  safetensors==0.8.0
  numpy==2.4.6
  soundfile==0.14.0
  jiwer==4.0.0
  onnx==1.23.2
  onnxruntime==1.32.0
  openvino==2026.4.1
  tensorboard==2.21.0
  nanobind==3.1.0
  scikit-build-core==1.1.2
  ruff==0.17.6
)

# numpy 2.4 and the compiler's C++20 set the oldest systems: Debian 12 and Ubuntu 24.04 have both.
OLDEST_PYTHON=3.11
OLDEST_GXX=12

# Debian's and Ubuntu's own versions are taken as they come.
APT_BUILD=(
  g++ cmake ninja-build pkg-config ccache mold
  python3 python3-venv ca-certificates
  libtbb-dev libavformat-dev libavcodec-dev libavutil-dev libsamplerate0-dev libsoxr-dev libarchive-dev zlib1g-dev
  libcurl4-openssl-dev libutf8proc-dev
  libcli11-dev catch2 nlohmann-json3-dev libxxhash-dev libssl-dev
  libhwy-dev libonnx-dev libprotobuf-dev
)
APT_CORPUS=(espeak-ng sox libsox-fmt-base flac)
# The tools whose samples the tests compare with, beside those above, what scripts/check.sh looks
# through the sources with, and what plays older processors.
APT_TESTS=(python3-dev ffmpeg openmpi-bin clang clang-format clang-tidy shellcheck qemu-user g++-aarch64-linux-gnu)
