// SPDX-License-Identifier: Apache-2.0
// What gpuvet and its MPI library agree on. That library alone is linked against MPI, so gpuvet
// starts on machines without. All functions return 0, or MPI's error code.
#pragma once

#include <cstddef>

extern "C" {
int gpuvet_mpi_start(int* rank, int* size);
int gpuvet_mpi_version(char* text, std::size_t bytes);
int gpuvet_mpi_broadcast(void* data, std::size_t bytes, int root);
/// `all` takes everybody's `bytes` in the order of ranks.
int gpuvet_mpi_gather(const void* own, std::size_t bytes, void* all);
int gpuvet_mpi_barrier();
/// `op`: device::Collective as a number. `count`: elements of the larger buffer.
int gpuvet_mpi_run(int op, const float* send, float* receive, std::size_t count);
void gpuvet_mpi_stop();
}
