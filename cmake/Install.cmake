# `cmake --install`: the program, the C library with its CMake package and pkg-config file; and CPack's
# tarball of a program that needs nothing of the machine but its C library.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Where the program looks for its own libraries (model/shared_library.h), below any prefix.
set(FLOWQAT_PRIVATE_DIR "lib/flowqat")
# DT_RPATH, not DT_RUNPATH: it holds for the libraries that libraries need, too.
target_link_options(flowqat PRIVATE -Wl,--disable-new-dtags)
# From the start: CMake would pad another one with ':', for which the loader looks into the working folder.
set_target_properties(flowqat PROPERTIES INSTALL_RPATH "$ORIGIN/../${FLOWQAT_PRIVATE_DIR}" BUILD_WITH_INSTALL_RPATH ON)
install(TARGETS flowqat RUNTIME_DEPENDENCY_SET flowqat_dependencies COMPONENT program)
if(FLOWQAT_HAS_TORCH)
  install(TARGETS flowqat_torch flowqat_onnx LIBRARY DESTINATION "${FLOWQAT_PRIVATE_DIR}" COMPONENT program)
endif()

install(TARGETS flowqat_library EXPORT flowqat
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library NAMELINK_COMPONENT library
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES library/flowqat.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library)
set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/flowqat")
install(EXPORT flowqat NAMESPACE flowqat:: FILE flowqat-config.cmake DESTINATION "${_package}" COMPONENT library)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/flowqat-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/flowqat-config-version.cmake" DESTINATION "${_package}" COMPONENT library)
file(RELATIVE_PATH FLOWQAT_PREFIX_FROM_PC "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file(cmake/flowqat.pc.in "${CMAKE_BINARY_DIR}/flowqat.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/flowqat.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT library)

# The tarball, of a build without LibTorch: every library that the program needs goes along, but the
# system's C library, which fits only its own loader.
if(NOT FLOWQAT_HAS_TORCH)
  install(RUNTIME_DEPENDENCY_SET flowqat_dependencies
    PRE_EXCLUDE_REGEXES "^(ld-linux.*|lib(c|m|dl|rt|pthread|resolv|mvec|anl|util))\\.so"
    DESTINATION "${FLOWQAT_PRIVATE_DIR}" COMPONENT dependencies EXCLUDE_FROM_ALL)
  set(CPACK_GENERATOR TGZ)
  set(CPACK_PACKAGE_FILE_NAME "flowqat-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR}")
  set(CPACK_STRIP_FILES ON)
  set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
  set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
  set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
  set(CPACK_COMPONENTS_ALL program dependencies)
  include(CPack)
endif()
