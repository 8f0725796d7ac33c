// SPDX-License-Identifier: Apache-2.0
#include "device/job.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/text.hpp"
#include "device/mpi/abi.hpp"
#include "platform/library.hpp"

namespace gpuvet::device {
namespace {

/// Beside the program, where it is installed, and wherever the loader looks.
std::vector<std::string> library_names() {
  const std::string file = "libgpuvet_mpi.so";
  std::vector<std::string> out;
  if (const char* told = std::getenv("GPUVET_MPI_LIBRARY")) out.emplace_back(told);
  std::array<char, 4096> path{};
  const auto length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length > 0) {
    std::string folder(path.data(), static_cast<std::size_t>(length));
    folder.resize(folder.rfind('/') + 1);
    out.push_back(folder + file);
    out.push_back(folder + "../lib/gpuvet/" + file);
  }
  out.push_back(file);
  return out;
}

Result<void> checked(int error, const char* what) {
  if (error == 0) return {};
  return fail(Errc::vendor_failure,
              std::string("MPI: ") + what + " failed with error " + std::to_string(error));
}

class MpiJob final : public Job {
 public:
  static Result<std::unique_ptr<Job>> start(platform::Library library) {
    auto out = std::unique_ptr<MpiJob>(new MpiJob(std::move(library)));
    if (out->missing_) return fail(Errc::not_supported, "libgpuvet_mpi.so is of another gpuvet");
    GPUVET_CHECK(checked(out->start_(&out->rank_, &out->size_), "the start"));
    out->started_ = true;
    std::array<char, 128> text{};
    GPUVET_CHECK(checked(out->version_(text.data(), text.size()), "its version"));
    out->name_ = std::string("MPI (") + text.data() + ")";
    std::array<char, 64> own{};
    ::gethostname(own.data(), own.size() - 1);
    std::vector<char> all(own.size() * static_cast<std::size_t>(out->size_));
    GPUVET_CHECK(checked(out->gather_(own.data(), own.size(), all.data()), "a gather"));
    for (int i = 0; i < out->size_; ++i)
      out->hosts_.emplace_back(all.data() + own.size() * static_cast<std::size_t>(i));
    return out;
  }
  ~MpiJob() override {
    if (started_) stop_();
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string library() const override { return name_; }
  [[nodiscard]] const std::vector<std::string>& hosts() const override { return hosts_; }
  Result<void> broadcast(std::span<std::byte> bytes, int root) override {
    return checked(broadcast_(bytes.data(), bytes.size(), root), "a broadcast");
  }
  Result<std::vector<double>> gather(std::span<const double> numbers) override {
    std::vector<double> out(numbers.size() * static_cast<std::size_t>(size_));
    GPUVET_CHECK(checked(gather_(numbers.data(), numbers.size_bytes(), out.data()), "a gather"));
    return out;
  }
  Result<void> barrier() override { return checked(barrier_(), "a barrier"); }
  Result<void> run(Collective op, std::span<const float> send, std::span<float> receive) override {
    return checked(run_(static_cast<int>(op), send.data(), receive.data(),
                        std::max(send.size(), receive.size())),
                   name_.c_str());
  }

 private:
  explicit MpiJob(platform::Library library) : library_{std::move(library)} {
    const auto find = [&](auto*& function, const char* name) {
      using Function = std::remove_reference_t<decltype(*function)>;
      function = library_.symbol<Function>(name);
      missing_ = missing_ || function == nullptr;
    };
    find(start_, "gpuvet_mpi_start");
    find(version_, "gpuvet_mpi_version");
    find(broadcast_, "gpuvet_mpi_broadcast");
    find(gather_, "gpuvet_mpi_gather");
    find(barrier_, "gpuvet_mpi_barrier");
    find(run_, "gpuvet_mpi_run");
    find(stop_, "gpuvet_mpi_stop");
  }

  platform::Library library_;
  decltype(gpuvet_mpi_start)* start_ = nullptr;
  decltype(gpuvet_mpi_version)* version_ = nullptr;
  decltype(gpuvet_mpi_broadcast)* broadcast_ = nullptr;
  decltype(gpuvet_mpi_gather)* gather_ = nullptr;
  decltype(gpuvet_mpi_barrier)* barrier_ = nullptr;
  decltype(gpuvet_mpi_run)* run_ = nullptr;
  decltype(gpuvet_mpi_stop)* stop_ = nullptr;
  bool missing_ = false, started_ = false;
  int rank_ = 0, size_ = 1;
  std::string name_;
  std::vector<std::string> hosts_;
};

/// Its operations are done when enqueued: MPI's own progress is what is measured, not a thread's.
class JobCommunicator final : public Communicator {
 public:
  explicit JobCommunicator(Job& job) : job_{job} {}
  [[nodiscard]] int ranks() const override { return job_.size(); }
  [[nodiscard]] int first() const override { return job_.rank(); }
  [[nodiscard]] Transport transport(Collective, std::uint64_t) const override {
    return {job_.library(), "", ""};
  }
  Result<void> run(Collective op, std::span<const Range> send, std::span<const Range> receive,
                   std::span<Stream* const> streams) override {
    constexpr double limit = 60;
    if (send.size() != 1 || receive.size() != 1 || streams.size() != 1)
      return fail(Errc::usage, "one rank in each process");
    GPUVET_CHECK(streams[0]->synchronize(limit));
    return job_.run(
        op, {reinterpret_cast<const float*>(send[0].address), send[0].bytes / sizeof(float)},
        {reinterpret_cast<float*>(receive[0].address), receive[0].bytes / sizeof(float)});
  }

 private:
  Job& job_;
};

}  // namespace

Job::Place Job::place() const {
  const auto& all = hosts();
  const auto own = all.begin() + rank();
  return {static_cast<int>(std::count(all.begin(), all.end(), *own)),
          static_cast<int>(std::count(all.begin(), own, *own))};
}

std::optional<int> launched_rank() {
  // What launchers leave in the environment of processes that are part of a job.
  constexpr std::array names = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                "MV2_COMM_WORLD_RANK"};
  for (const char* name : names)
    if (const char* rank = std::getenv(name))
      if (const auto number = parse_integer(rank)) return static_cast<int>(*number);
  return {};
}

Result<std::unique_ptr<Job>> mpi_job() {
  if (!launched_rank()) return fail(Errc::not_supported, "not started by mpirun or srun");
  GPUVET_TRY(auto library, in_context(platform::Library::open(library_names()),
                                      "gpuvet was built or installed without its part for MPI"));
  return MpiJob::start(std::move(library));
}

std::unique_ptr<Communicator> job_communicator(Job& job) {
  return std::make_unique<JobCommunicator>(job);
}

}  // namespace gpuvet::device
