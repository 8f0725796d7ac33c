// SPDX-License-Identifier: Apache-2.0
// NCCL's public binary interface, as far as gpuvet calls it: declared by hand, so that neither its
// header nor the library is needed to build. These have not changed since NCCL 2.7.
#pragma once

#include <cstddef>

struct CUstream_st;

namespace gpuvet::device::nccl {

using Communicator = struct CommunicatorHandle*;

enum class Return : int {
  success = 0,
  unhandled_cuda_error = 1,
  system_error = 2,
  internal_error = 3,
  invalid_argument = 4,
  invalid_usage = 5,
  remote_error = 6,
  in_progress = 7,
};
enum class Type : int { float32 = 7 };
enum class Operation : int { sum = 0 };

// clang-format off
/// X(name, arguments): every function returns Return.
#define GPUVET_NCCL_FUNCTIONS(X) \
  X(ncclGetVersion, (int*)) \
  X(ncclCommInitAll, (Communicator*, int, const int*)) \
  X(ncclCommAbort, (Communicator)) \
  X(ncclCommDestroy, (Communicator)) \
  X(ncclCommGetAsyncError, (Communicator, Return*)) \
  X(ncclGroupStart, (void)) \
  X(ncclGroupEnd, (void)) \
  X(ncclAllReduce, (const void*, void*, std::size_t, Type, Operation, Communicator, CUstream_st*)) \
  X(ncclReduce, (const void*, void*, std::size_t, Type, Operation, int, Communicator, CUstream_st*)) \
  X(ncclBroadcast, (const void*, void*, std::size_t, Type, int, Communicator, CUstream_st*)) \
  X(ncclReduceScatter, (const void*, void*, std::size_t, Type, Operation, Communicator, CUstream_st*)) \
  X(ncclAllGather, (const void*, void*, std::size_t, Type, Communicator, CUstream_st*)) \
  X(ncclSend, (const void*, std::size_t, Type, int, Communicator, CUstream_st*)) \
  X(ncclRecv, (void*, std::size_t, Type, int, Communicator, CUstream_st*))
// clang-format on

namespace function {
#define GPUVET_NCCL_TYPE(name, arguments) using name = Return arguments;
GPUVET_NCCL_FUNCTIONS(GPUVET_NCCL_TYPE)
#undef GPUVET_NCCL_TYPE
}  // namespace function

}  // namespace gpuvet::device::nccl
