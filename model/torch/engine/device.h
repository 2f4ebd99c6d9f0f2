/// GPUs, reached through LibTorch's generic interface: no CUDA header, and libtorch_cuda.so opened
/// only when a GPU is wanted.
#pragma once
#include <c10/core/Device.h>

#include <string>

namespace flowqat::model {

/// Of the GPUs that a process sees, the one that it takes among those of its machine: that of its
/// local rank, or the only one, as where the launcher has given each process its own. Throws Error
/// where there are fewer than processes.
int gpu_of_process(int gpus, int local_rank, int local_size);

/// The device that "auto", "cpu", "cuda" or "cuda:1" means here, or that LibTorch knows by the name
/// because a library has registered it. `local_rank` of `local_size`: this process among those of
/// its machine, for which "auto" and "cuda" mean different GPUs. Throws Error for any other name,
/// and for "cuda" where LibTorch's CUDA library or that GPU is missing, with the loader's text.
/// Call it before anything else of LibTorch: it remembers for good whether there was a CUDA
/// library. `why_no_gpu` receives the reason where "auto" is the CPU although there is a trace of a
/// GPU, else an empty text.
at::Device choose_device(const std::string& name, std::string* why_no_gpu = nullptr,
                         int local_rank = 0, int local_size = 1);

/// Whether it is the name of a device that a library has registered, and that is there.
bool is_registered(const std::string& name);

/// What products of float32 numbers are computed in: "float32", "tf32" (a GPU; the CPU stays with
/// float32), "bf16" (a GPU, or a CPU that has the instructions) or "fp16" (a GPU). Throws Error for
/// any other, and for "bf16" and "fp16" where they are not to be had.
void choose_precision(const std::string& name, const at::Device& device);

/// "cpu" or "cuda:0 (NVIDIA H100)".
std::string describe(const at::Device& device);

}  // namespace flowqat::model
