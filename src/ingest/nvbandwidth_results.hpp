// SPDX-License-Identifier: Apache-2.0
// What nvbandwidth's matrices mean, whether they came as text or as JSON.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"
#include "ingest/cuda_devices.hpp"
#include "ingest/gpu_matrix.hpp"

namespace gpuvet::ingest {

/// One matrix: nothing where it says N/A. GB/s or ns, as printed.
struct NvbandwidthMatrix {
  std::string test;   ///< "host_to_device_memcpy_ce"
  std::string title;  ///< "memcpy CE CPU(row) -> GPU(column) bandwidth (GB/s)"
  std::vector<MatrixRow> rows;
  std::size_t line = 0;  ///< of the first row
};

class NvbandwidthResults {
 public:
  explicit NvbandwidthResults(Recorder& out) : out_{out} {}

  /// A file may hold several runs, one after the other.
  void start(std::string_view version, std::size_t line);
  void driver(std::string_view version, std::size_t line);
  /// "Tesla T4 (00000000:3b:00)"; the address is missing before v0.5.
  void device(std::size_t ordinal, std::string_view text, std::size_t line);

  /// Rows of the matrix that `test` prints for `columns` GPUs; 0 when it is not one we read.
  [[nodiscard]] static std::size_t rows_due(std::string_view test, std::size_t columns);
  Result<void> matrix(const NvbandwidthMatrix& matrix);
  void waived(std::string_view test, std::size_t line);
  void waived_unnamed(std::size_t line);
  /// A test that was announced and gave no result.
  void missing(std::string_view test, Absence why, std::string_view words, std::size_t line);
  /// The copied bytes were not those that were sent.
  void corrupt(std::string_view test, std::string_view words, std::size_t line);
  /// Ends the last run. When the file held no result, the error says `error`, what the tool said.
  Result<void> finish(std::string_view error, std::size_t line);

 private:
  struct Halves {
    std::optional<double> h2d, d2h;
    std::size_t line = 0;
  };
  void end_of_run();
  void record_halves();
  void record_devices();
  void host(const NvbandwidthMatrix& matrix, Id id, bool all_at_once);
  void half(const NvbandwidthMatrix& matrix, std::optional<double> Halves::*side);
  void local(const NvbandwidthMatrix& matrix);
  void host_latency(const NvbandwidthMatrix& matrix);
  void peer(const NvbandwidthMatrix& matrix, std::string_view direction, std::string_view engine);
  void peer_both(const NvbandwidthMatrix& matrix, std::string_view engine);
  void peer_latency(const NvbandwidthMatrix& matrix);

  Recorder& out_;
  CudaDevices devices_;
  std::string version_;
  std::map<std::string, Halves> halves_;  ///< by GPU
  std::set<std::string_view> missing_;
  std::size_t results_ = 0, waived_line_ = 0;
  bool devices_recorded_ = false, peers_seen_ = false;
};

}  // namespace gpuvet::ingest
