# flowqat_simd: how Highway's headers are compiled, for whatever processor. Its include folder is the includer's.
add_library(flowqat_simd INTERFACE)
# The plain code is one value at a time for every compiler, not Highway's emulation of registers for some.
target_compile_definitions(flowqat_simd INTERFACE HWY_BROKEN_EMU128=1)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  target_compile_definitions(flowqat_simd INTERFACE TOOLCHAIN_MISS_SYS_AUXV_H
    "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)")
else()
  target_compile_definitions(flowqat_simd INTERFACE "HWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SSE4)")
endif()
