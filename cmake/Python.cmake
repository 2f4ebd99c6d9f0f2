# The Python package's extension module (pyproject.toml), linked like the C library.
option(FLOWQAT_PYTHON "Whether there is the target of the Python package" OFF)
if(NOT FLOWQAT_PYTHON)
  return()
endif()
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
  OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)
nanobind_add_module(flowqat_python NB_STATIC python/native.cpp)
set_target_properties(flowqat_python PROPERTIES OUTPUT_NAME _native)
target_link_libraries(flowqat_python PRIVATE flowqat_recognizer)
target_link_options(flowqat_python PRIVATE -Wl,--as-needed -Wl,--exclude-libs,ALL)
install(TARGETS flowqat_python LIBRARY DESTINATION flowqat COMPONENT python)
