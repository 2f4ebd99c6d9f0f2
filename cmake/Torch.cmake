# LibTorch from the PyPI wheel, as an imported target of our own: the wheel's CMake package demands
# a CUDA toolkit, which neither compiling nor running this program needs.
set(FLOWQAT_TORCH "" CACHE STRING "Folder of the torch wheel (the one that holds include/ and lib/); OFF: no LibTorch")
if(FLOWQAT_TORCH MATCHES "(^|/)OFF$")
  # Data, and int8 models: one program, without training, and without ONNX.
  set(FLOWQAT_HAS_TORCH FALSE)
  set(FLOWQAT_TORCH_VERSION "none in this build")
  return()
endif()
set(FLOWQAT_HAS_TORCH TRUE)
if(NOT FLOWQAT_TORCH)
  file(GLOB _candidates "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
  if(_candidates)
    list(GET _candidates 0 FLOWQAT_TORCH)
  endif()
endif()
if(NOT EXISTS "${FLOWQAT_TORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch was not found (looked in '${FLOWQAT_TORCH}'). Run scripts/setup.sh, "
                      "name the wheel's torch folder with -DFLOWQAT_TORCH=..., or build without: -DFLOWQAT_TORCH=OFF")
endif()

# __version__ = '2.11.0+cpu'
file(STRINGS "${FLOWQAT_TORCH}/version.py" _version REGEX "^__version__ = ")
string(REGEX REPLACE "^__version__ = '([^']*)'.*$" "\\1" FLOWQAT_TORCH_VERSION "${_version}")

get_filename_component(_site_packages "${FLOWQAT_TORCH}" DIRECTORY)
add_library(flowqat_libtorch INTERFACE)
target_include_directories(flowqat_libtorch SYSTEM INTERFACE
  "${FLOWQAT_TORCH}/include" "${FLOWQAT_TORCH}/include/torch/csrc/api/include")
target_link_libraries(flowqat_libtorch INTERFACE
  "${FLOWQAT_TORCH}/lib/libtorch_cpu.so" "${FLOWQAT_TORCH}/lib/libc10.so")
target_link_options(flowqat_libtorch INTERFACE
  "-Wl,-rpath,${FLOWQAT_TORCH}/lib:${_site_packages}/nvidia/cu13/lib"
  -Wl,--disable-new-dtags -Wl,--allow-shlib-undefined)

# at::parallel_for is a template that runs on one thread unless it is compiled with OpenMP. The
# threads are LibTorch's own: its copy of the runtime is linked, never a second one beside it.
file(GLOB _openmp "${FLOWQAT_TORCH}/lib/libgomp*.so*" "${_site_packages}/torch.libs/libgomp*.so*")
if(NOT _openmp)
  message(FATAL_ERROR "LibTorch's OpenMP runtime, libgomp, was not found in ${FLOWQAT_TORCH}/lib")
endif()
list(GET _openmp 0 _openmp)
target_compile_options(flowqat_libtorch INTERFACE -fopenmp)
target_link_libraries(flowqat_libtorch INTERFACE "${_openmp}")
