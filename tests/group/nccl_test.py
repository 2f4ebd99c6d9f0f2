"""What model/torch/distributed/nccl_library.h says of NCCL against NCCL's own header and library, where they are.

    nccl_test.py COMPILER SOURCES
"""

import ctypes
import importlib.util
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

COMPILER, SOURCES = sys.argv[1:3]
del sys.argv[1:3]
BINDING = Path(SOURCES, "model/torch/distributed/nccl_library.cpp").read_text()

# Of CUDA's headers, NCCL's needs a stream's name and size_t alone.
CUDA = {"cuda_runtime.h": "#pragma once\n#include <stddef.h>\ntypedef struct CUstream_st* cudaStream_t;\n", "cuda_fp16.h": ""}

CHECK = """
#include <nccl.h>
#include <type_traits>
#include "model/torch/distributed/nccl_library.h"
using Bound = flowqat::model::NcclLibrary;
static_assert(sizeof(ncclUniqueId) == sizeof(Bound::Id) && alignof(ncclUniqueId) == alignof(Bound::Id));
static_assert(std::is_trivial_v<Bound::Id> && std::is_trivial_v<ncclUniqueId>);
static_assert(sizeof(ncclResult_t) == sizeof(int) && sizeof(ncclDataType_t) == sizeof(int));
static_assert(sizeof(ncclRedOp_t) == sizeof(int));
static_assert(int(ncclSuccess) == Bound::success && int(ncclInProgress) == Bound::in_progress);
static_assert(int(ncclInvalidArgument) == Bound::invalid_argument && int(ncclInvalidUsage) == Bound::invalid_usage);
static_assert(int(ncclInt8) == Bound::int8 && int(ncclUint8) == Bound::uint8 && int(ncclInt32) == Bound::int32);
static_assert(int(ncclInt64) == Bound::int64 && int(ncclFloat16) == Bound::float16);
static_assert(int(ncclFloat32) == Bound::float32 && int(ncclFloat64) == Bound::float64);
static_assert(int(ncclBfloat16) == Bound::bfloat16);
static_assert(int(ncclSum) == Bound::sum && int(ncclMax) == Bound::largest && int(ncclMin) == Bound::smallest);
// The same parameters, with int for an enum and our Id for theirs.
template <class T> struct As { using type = T; };
template <> struct As<ncclResult_t> { using type = int; };
template <> struct As<ncclResult_t*> { using type = int*; };
template <> struct As<ncclDataType_t> { using type = int; };
template <> struct As<ncclRedOp_t> { using type = int; };
template <> struct As<ncclUniqueId> { using type = Bound::Id; };
template <> struct As<ncclUniqueId*> { using type = Bound::Id*; };
template <> struct As<ncclComm_t> { using type = Bound::Communicator; };
template <> struct As<ncclComm_t*> { using type = Bound::Communicator*; };
template <class T> struct AsFunction;
template <class R, class... A> struct AsFunction<R (*)(A...)> {
  using type = typename As<R>::type (*)(typename As<A>::type...);
};
template <auto function, class Ours>
constexpr bool same = std::is_same_v<typename AsFunction<decltype(function)>::type, Ours>;
static_assert(same<&ncclGetVersion, decltype(Bound::get_version)>);
static_assert(same<&ncclGetUniqueId, decltype(Bound::get_unique_id)>);
static_assert(same<&ncclCommInitRank, decltype(Bound::comm_init_rank)>);
static_assert(same<&ncclCommDestroy, decltype(Bound::comm_destroy)>);
static_assert(same<&ncclCommAbort, decltype(Bound::comm_abort)>);
static_assert(same<&ncclCommGetAsyncError, decltype(Bound::comm_get_async_error)>);
static_assert(same<&ncclGetErrorString, decltype(Bound::get_error_string)>);
static_assert(same<&ncclAllReduce, decltype(Bound::all_reduce)>);
static_assert(same<&ncclBroadcast, decltype(Bound::broadcast)>);
"""


def place_of_nccl():
    found = importlib.util.find_spec("nvidia.nccl") if importlib.util.find_spec("nvidia") else None
    return Path(list(found.submodule_search_locations)[0]) if found else None


NCCL = place_of_nccl()


def compiled(text):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in CUDA.items():
            Path(folder, name).write_text(content)
        Path(folder, "check.cpp").write_text(text)
        return subprocess.run([COMPILER, "-std=c++20", "-fsyntax-only", "-Wno-enum-compare", "-I", folder, "-I", NCCL / "include",
                               "-I", SOURCES, Path(folder, "check.cpp")], capture_output=True, text=True)


@unittest.skipUnless(NCCL, "no NCCL in .venv")
class OfNccl(unittest.TestCase):
    def test_values_sizes_and_parameters_are_those_of_its_header(self):
        done = compiled(CHECK)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        wrong = compiled(CHECK.replace("int(ncclMax) == Bound::largest", "int(ncclAvg) == Bound::largest"))
        self.assertNotEqual(wrong.returncode, 0)

    def test_every_function_that_is_resolved_is_there_and_compared(self):
        names = re.findall(r'find\(nccl\.\w+, "(\w+)"\)', BINDING)
        self.assertEqual(len(names), 9)
        library = ctypes.CDLL(str(NCCL / "lib" / "libnccl.so.2"))
        for name in names:
            self.assertTrue(hasattr(library, name), name)
            self.assertIn(f"<&{name},", CHECK)
        version = ctypes.c_int()
        self.assertEqual(library.ncclGetVersion(ctypes.byref(version)), 0)
        self.assertGreater(version.value, 20000)


if __name__ == "__main__":
    unittest.main()
