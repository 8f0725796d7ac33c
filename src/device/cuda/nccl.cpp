// SPDX-License-Identifier: Apache-2.0
// Collectives by NCCL, in one process, opened where the machine has it.
#include <algorithm>
#include <string>
#include <vector>

#include "device/cuda/cuda.hpp"
#include "device/cuda/nccl_abi.hpp"
#include "device/cuda/nccl_log.hpp"
#include "platform/library.hpp"

namespace gpuvet::device {
namespace {

using nccl::Operation;
using nccl::Return;
using nccl::Type;

struct Functions {
#define GPUVET_NCCL_POINTER(name, arguments) nccl::function::name* name = nullptr;
  GPUVET_NCCL_FUNCTIONS(GPUVET_NCCL_POINTER)
#undef GPUVET_NCCL_POINTER
};

Result<Functions> functions_of(const platform::Library& library) {
  Functions out;
  std::string missing;
#define GPUVET_NCCL_LOAD(name, arguments)                 \
  out.name = library.symbol<nccl::function::name>(#name); \
  if (out.name == nullptr) missing = #name;
  GPUVET_NCCL_FUNCTIONS(GPUVET_NCCL_LOAD)
#undef GPUVET_NCCL_LOAD
  if (!missing.empty())
    return fail(Errc::not_supported, library.name() + " is too old: it has no " + missing);
  return out;
}

std::string_view words_for(Return status) {
  switch (status) {
    case Return::success:
      return "success";
    case Return::unhandled_cuda_error:
      return "a CUDA call failed";
    case Return::system_error:
      return "a call of the operating system failed";
    case Return::internal_error:
      return "internal error";
    case Return::invalid_argument:
      return "invalid argument";
    case Return::invalid_usage:
      return "invalid usage";
    case Return::remote_error:
      return "another rank failed";
    case Return::in_progress:
      return "still in progress";
  }
  return "unknown error";
}

Result<void> said(Return status, std::string_view what) {
  if (status == Return::success) return {};
  return fail(Errc::vendor_failure, "NCCL: " + std::string(what) + ": " +
                                        std::string(words_for(status)) +
                                        " (NCCL_DEBUG=INFO tells more)");
}

/// Never closed: its threads and its log outlive communicators.
Result<const platform::Library*> nccl_library() {
  static const auto* const opened =
      new auto(platform::Library::open(  // NOLINT(cppcoreguidelines-owning-memory)
          {"libnccl.so.2", "libnccl.so", "/usr/local/cuda/lib64/libnccl.so.2"}));
  if (!*opened) return fail(Errc::not_found, "NCCL is not here (" + opened->error().what + ")");
  return &**opened;
}

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(Functions functions, std::string version)
      : nccl_{functions}, version_{std::move(version)} {}
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;
  ~NcclCommunicator() override {
    // Destroying waits for work that may hang.
    for (auto* c : ranks_) broken_ ? nccl_.ncclCommAbort(c) : nccl_.ncclCommDestroy(c);
  }

  Result<void> begin(const std::vector<int>& devices) {
    std::vector<nccl::Communicator> made(devices.size());
    GPUVET_CHECK(
        said(nccl_.ncclCommInitAll(made.data(), static_cast<int>(made.size()), devices.data()),
             "start of the communicator"));
    ranks_ = std::move(made);
    return {};
  }

  [[nodiscard]] int ranks() const override { return static_cast<int>(ranks_.size()); }
  [[nodiscard]] Transport transport(Collective op, std::uint64_t bytes) const override {
    const auto choice = nccl::choice_in(nccl::Log::of_process().recent(), op, bytes);
    return {version_, choice ? choice->algorithm : "", choice ? choice->protocol : ""};
  }
  Result<void> run(Collective op, std::span<const Range> send, std::span<const Range> receive,
                   std::span<Stream* const> streams) override;

 private:
  Result<void> enqueue(Collective op, int rank, const Range& send, const Range& receive,
                       CUstream_st* stream);
  Result<void> healthy();

  Functions nccl_;
  std::string version_;
  std::vector<nccl::Communicator> ranks_;
  bool broken_ = false;
};

Result<void> NcclCommunicator::healthy() {
  for (auto* c : ranks_) {
    auto status = Return::success;
    GPUVET_CHECK(said(nccl_.ncclCommGetAsyncError(c, &status), "its state"));
    if (status != Return::in_progress) GPUVET_CHECK(said(status, "an earlier operation"));
  }
  return {};
}

Result<void> NcclCommunicator::run(Collective op, std::span<const Range> send,
                                   std::span<const Range> receive,
                                   std::span<Stream* const> streams) {
  const auto count = ranks_.size();
  if (send.size() != count || receive.size() != count || streams.size() != count)
    return fail(Errc::usage, "a collective needs a buffer and a stream of each rank");
  std::vector<CUstream_st*> handles;
  for (auto* stream : streams) {
    auto* own = dynamic_cast<CudaStream*>(stream);
    if (own == nullptr) return fail(Errc::usage, "NCCL works on streams of GPUs");
    if (own->device().hangs()) {
      broken_ = true;
      return fail(Errc::timeout, "a GPU does not answer");
    }
    handles.push_back(own->handle());
  }
  auto done = healthy();
  if (done) done = said(nccl_.ncclGroupStart(), "a group");
  if (!done) {
    broken_ = true;
    return done;
  }
  for (std::size_t r = 0; r < count && done; ++r)
    done = enqueue(op, static_cast<int>(r), send[r], receive[r], handles[r]);
  // A group that was begun is ended whatever happened.
  auto ended = said(nccl_.ncclGroupEnd(), name(op));
  if (done) done = std::move(ended);
  broken_ = broken_ || !done;
  return done;
}

Result<void> NcclCommunicator::enqueue(Collective op, int rank, const Range& send,
                                       const Range& receive, CUstream_st* stream) {
  const auto* from = reinterpret_cast<const char*>(send.address);
  auto* to = reinterpret_cast<char*>(receive.address);
  const std::size_t sent = send.bytes / sizeof(float), got = receive.bytes / sizeof(float);
  auto* c = ranks_[static_cast<std::size_t>(rank)];
  const int all = ranks();
  constexpr auto type = Type::float32;
  constexpr auto sum = Operation::sum;
  constexpr int root = 0;
  switch (op) {
    case Collective::all_reduce:
      return said(nccl_.ncclAllReduce(from, to, sent, type, sum, c, stream), name(op));
    case Collective::all_gather:
      return said(nccl_.ncclAllGather(from, to, sent, type, c, stream), name(op));
    case Collective::reduce_scatter:
      return said(nccl_.ncclReduceScatter(from, to, got, type, sum, c, stream), name(op));
    case Collective::broadcast:
      return said(nccl_.ncclBroadcast(from, to, got, type, root, c, stream), name(op));
    case Collective::reduce:
      return said(nccl_.ncclReduce(from, to, sent, type, sum, root, c, stream), name(op));
    case Collective::alltoall: {
      const auto part = sent / static_cast<std::size_t>(all);
      for (int peer = 0; peer < all; ++peer) {
        const auto at = static_cast<std::size_t>(peer) * part * sizeof(float);
        GPUVET_CHECK(said(nccl_.ncclSend(from + at, part, type, peer, c, stream), name(op)));
        GPUVET_CHECK(said(nccl_.ncclRecv(to + at, part, type, peer, c, stream), name(op)));
      }
      return {};
    }
    case Collective::sendrecv:  // each to the next, as nccl-tests' sendrecv_perf
      GPUVET_CHECK(said(nccl_.ncclSend(from, sent, type, (rank + 1) % all, c, stream), name(op)));
      return said(nccl_.ncclRecv(to, got, type, (rank + all - 1) % all, c, stream), name(op));
  }
  return fail(Errc::usage, "an unknown collective");
}

}  // namespace

Result<std::unique_ptr<Communicator>> nccl_communicator(std::span<Device* const> devices) {
  std::vector<int> indices;
  for (auto* device : devices) {
    const auto* own = dynamic_cast<CudaDevice*>(device);
    if (own == nullptr) return fail(Errc::usage, "NCCL works on GPUs only");
    indices.push_back(own->properties().index);
  }
  if (indices.empty()) return fail(Errc::usage, "a communicator needs a GPU");
  auto& log = nccl::Log::of_process();
  GPUVET_TRY(const auto* library, nccl_library());
  GPUVET_TRY(const auto functions, functions_of(*library));
  int version = 0;
  GPUVET_CHECK(said(functions.ncclGetVersion(&version), "its version"));
  auto out = std::make_unique<NcclCommunicator>(functions, "NCCL " + nccl::version_text(version));
  auto begun = out->begin(indices);
  log.opened();
  if (!begun) return tl::make_unexpected(std::move(begun).error());
  return out;
}

}  // namespace gpuvet::device
