/// The functions of NCCL that are used, by its stable C interface and without its header, which
/// needs CUDA's: found in its library when processes first exchange what is on a GPU.
#pragma once
#include <cstddef>

namespace flowqat::model {

struct NcclLibrary {
  using Communicator = struct ncclComm*;
  using Stream = struct CUstream_st*;
  /// Handed over by value, as ncclUniqueId is.
  struct Id {
    char bytes[128];
  };
  enum Result : int { success = 0, invalid_argument = 4, invalid_usage = 5, in_progress = 7 };
  enum Type : int {
    int8 = 0,
    uint8 = 1,
    int32 = 2,
    int64 = 4,
    float16 = 6,
    float32 = 7,
    float64 = 8,
    bfloat16 = 9
  };
  enum Operation : int { sum = 0, largest = 2, smallest = 3 };

  int (*get_version)(int* version);
  int (*get_unique_id)(Id* id);
  int (*comm_init_rank)(Communicator* communicator, int size, Id id, int rank);
  int (*comm_destroy)(Communicator communicator);
  int (*comm_abort)(Communicator communicator);
  int (*comm_get_async_error)(Communicator communicator, int* result);
  const char* (*get_error_string)(int result);
  int (*all_reduce)(const void* from, void* to, size_t count, int type, int operation,
                    Communicator communicator, Stream stream);
  int (*broadcast)(const void* from, void* to, size_t count, int type, int root,
                   Communicator communicator, Stream stream);

  /// libnccl.so.2, which LibTorch's CUDA library brings along, or what FLOWQAT_NCCL names: the
  /// tests have a library that stands in for it. Opened once a process. Throws Error with the
  /// loader's text, or the name of what the library lacks.
  static const NcclLibrary& instance();
};

}  // namespace flowqat::model
