// SPDX-License-Identifier: Apache-2.0
// The only file that knows MPI; built as a library of its own (device/mpi/abi.hpp).
#include <mpi.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "device/communicator.hpp"
#include "device/mpi/abi.hpp"

namespace {

using gpuvet::device::Collective;

int ranks() {
  int out = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &out);
  return out;
}

int own_rank() {
  int out = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &out);
  return out;
}

}  // namespace

int gpuvet_mpi_start(int* rank, int* size) {
  int given = 0, done = 0;
  MPI_Initialized(&done);
  // The host's streams do their work on threads of their own, one call at a time.
  if (done == 0)
    if (const int error = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &given))
      return error;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  *rank = own_rank();
  *size = ranks();
  return 0;
}

int gpuvet_mpi_version(char* text, std::size_t bytes) {
  char all[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  const int error = MPI_Get_library_version(all, &length);
  if (bytes == 0) return error;
  const auto kept = std::min(bytes - 1, std::strcspn(all, ",\n"));
  std::memcpy(text, all, kept);
  text[kept] = 0;
  return error;
}

int gpuvet_mpi_broadcast(void* data, std::size_t bytes, int root) {
  if (bytes > std::numeric_limits<int>::max()) return MPI_ERR_COUNT;
  return MPI_Bcast(data, static_cast<int>(bytes), MPI_BYTE, root, MPI_COMM_WORLD);
}

int gpuvet_mpi_gather(const void* own, std::size_t bytes, void* all) {
  if (bytes > std::numeric_limits<int>::max()) return MPI_ERR_COUNT;
  const int count = static_cast<int>(bytes);
  return MPI_Allgather(own, count, MPI_BYTE, all, count, MPI_BYTE, MPI_COMM_WORLD);
}

int gpuvet_mpi_barrier() { return MPI_Barrier(MPI_COMM_WORLD); }

int gpuvet_mpi_run(int op, const float* send, float* receive, std::size_t count) {
  const int n = ranks(), rank = own_rank();
  if (count > std::numeric_limits<int>::max()) return MPI_ERR_COUNT;
  const int whole = static_cast<int>(count), part = whole / n;
  switch (static_cast<Collective>(op)) {
    case Collective::all_reduce:
      return MPI_Allreduce(send, receive, whole, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    case Collective::all_gather:
      return MPI_Allgather(send, part, MPI_FLOAT, receive, part, MPI_FLOAT, MPI_COMM_WORLD);
    case Collective::reduce_scatter:
      return MPI_Reduce_scatter_block(send, receive, part, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    case Collective::broadcast:
      // MPI broadcasts in place; the root's copy is part of the operation, as in nccl-tests.
      if (rank == 0) std::copy(send, send + count, receive);
      return MPI_Bcast(receive, whole, MPI_FLOAT, 0, MPI_COMM_WORLD);
    case Collective::reduce:
      return MPI_Reduce(send, receive, whole, MPI_FLOAT, MPI_SUM, 0, MPI_COMM_WORLD);
    case Collective::alltoall:
      return MPI_Alltoall(send, part, MPI_FLOAT, receive, part, MPI_FLOAT, MPI_COMM_WORLD);
    case Collective::sendrecv:
      return MPI_Sendrecv(send, whole, MPI_FLOAT, (rank + 1) % n, 0, receive, whole, MPI_FLOAT,
                          (rank + n - 1) % n, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  return MPI_ERR_OP;
}

void gpuvet_mpi_stop() {
  int over = 0;
  MPI_Finalized(&over);
  if (over == 0) MPI_Finalize();
}
