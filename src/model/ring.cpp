// SPDX-License-Identifier: Apache-2.0
#include "model/ring.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace gpuvet::model {
namespace {

constexpr std::size_t searchable = 8;

/// Groups of GPUs that paths no farther than `reach` connect, as one number a GPU.
std::vector<int> groups_within(const Fabric& f, Path reach) {
  const auto n = static_cast<std::size_t>(f.gpus);
  std::vector<int> group(n);
  std::iota(group.begin(), group.end(), 0);
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      const Path path = f.pairs[a * n + b].path;
      if (a == b || path == Path::nvlink || path > reach || group[a] == group[b]) continue;
      const int from = group[b], to = group[a];
      std::replace(group.begin(), group.end(), from, to);
    }
  return group;
}

/// What hops share. A hop over NVLink has an element of its own; one over PCIe leaves a slot,
/// perhaps a switch and a socket, and enters others.
struct Graph {
  std::vector<double> capacity;
  std::vector<std::vector<std::size_t>> hop;  ///< elements of hop a -> b, at a * n + b
  std::size_t n = 0;
};

class Builder {
 public:
  explicit Builder(const Fabric& f)
      : fabric_(f),
        n_(static_cast<std::size_t>(f.gpus)),
        switches_(groups_within(f, Path::pxb)),
        sockets_(groups_within(f, Path::node)) {}

  Graph build() {
    Graph out;
    out.n = n_;
    out.hop.resize(n_ * n_);
    for (std::size_t a = 0; a < n_; ++a)
      for (std::size_t b = 0; b < n_; ++b)
        if (a != b) out.hop[a * n_ + b] = elements(a, b);
    out.capacity = std::move(capacity_);
    return out;
  }

 private:
  std::size_t element(char what, int from, int to, double capacity) {
    const auto key = std::pair(what, std::pair(from, to));
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    if (found != keys_.end()) return static_cast<std::size_t>(found - keys_.begin());
    keys_.push_back(key);
    capacity_.push_back(capacity);
    return keys_.size() - 1;
  }

  std::vector<std::size_t> elements(std::size_t a, std::size_t b) {
    const auto& pair = fabric_.pairs[a * n_ + b];
    const int from = static_cast<int>(a), to = static_cast<int>(b);
    if (pair.nvlinks > 0) return {element('n', from, to, pair.nvlinks * nvlink())};
    const double slot = fabric_.pcie.base();
    std::vector<std::size_t> out = {element('o', from, 0, slot), element('i', to, 0, slot)};
    if (switches_[a] != switches_[b]) {
      out.push_back(element('u', switches_[a], 0, slot));
      out.push_back(element('d', switches_[b], 0, slot));
    }
    if (pair.path == Path::sys && sockets_[a] != sockets_[b])
      out.push_back(element('s', sockets_[a], sockets_[b], fabric_.socket_link.base()));
    return out;
  }

  [[nodiscard]] double nvlink() const { return fabric_.nvlink_each.base(); }

  const Fabric& fabric_;
  std::size_t n_;
  std::vector<int> switches_, sockets_;
  std::vector<std::pair<char, std::pair<int, int>>> keys_;
  std::vector<double> capacity_;
};

/// Looks through all rings for the one that most can be sent around; of equals, the one that
/// takes the smallest shares of what is left, so that later rings find room.
class Search {
 public:
  explicit Search(const Graph& g) : g_(g), used_(g.capacity.size()), order_{0} {}

  std::vector<std::size_t> best(const std::vector<double>& left, double& rate) {
    left_ = &left;
    best_rate_ = 0;
    best_cost_ = std::numeric_limits<double>::infinity();
    seen_ = 1;
    extend(std::numeric_limits<double>::infinity());
    rate = best_rate_;
    return best_;
  }

  /// How often each element is crossed by a ring.
  static std::vector<int> crossings(const Graph& g, const std::vector<std::size_t>& ring) {
    std::vector<int> out(g.capacity.size());
    for (std::size_t i = 0; i < ring.size(); ++i)
      for (const auto e : g.hop[ring[i] * g.n + ring[(i + 1) % ring.size()]]) ++out[e];
    return out;
  }

 private:
  /// Takes the hop and says what the ring so far carries.
  double enter(std::size_t from, std::size_t to, double rate) {
    for (const auto e : g_.hop[from * g_.n + to]) rate = std::min(rate, (*left_)[e] / ++used_[e]);
    return rate;
  }
  void leave(std::size_t from, std::size_t to) {
    for (const auto e : g_.hop[from * g_.n + to]) --used_[e];
  }

  void close(double rate) {
    rate = enter(order_.back(), 0, rate);
    if (rate > 0 && rate >= best_rate_) {
      double cost = 0;
      for (std::size_t e = 0; e < used_.size(); ++e)
        if (used_[e] > 0) cost += used_[e] / (*left_)[e];
      if (rate > best_rate_ || cost < best_cost_) {
        best_rate_ = rate;
        best_cost_ = cost;
        best_ = order_;
      }
    }
    leave(order_.back(), 0);
  }

  void extend(double rate) {
    if (order_.size() == g_.n) return close(rate);
    const auto from = order_.back();
    for (std::size_t to = 1; to < g_.n; ++to) {
      if ((seen_ >> to & 1U) != 0) continue;
      const double with = enter(from, to, rate);
      if (with > 0 && with >= best_rate_) {
        seen_ |= 1U << to;
        order_.push_back(to);
        extend(with);
        order_.pop_back();
        seen_ &= ~(1U << to);
      }
      leave(from, to);
    }
  }

  const Graph& g_;
  const std::vector<double>* left_ = nullptr;
  std::vector<int> used_;
  std::vector<std::size_t> order_, best_;
  unsigned seen_ = 1;
  double best_rate_ = 0, best_cost_ = 0;
};

bool over_nvlink_only(const Fabric& f, const std::vector<std::size_t>& ring) {
  const auto n = static_cast<std::size_t>(f.gpus);
  for (std::size_t i = 0; i < ring.size(); ++i)
    if (f.pairs[ring[i] * n + ring[(i + 1) % n]].nvlinks == 0) return false;
  return true;
}

}  // namespace

Fabric::Rings best_rings(const Fabric& f) {
  const auto n = static_cast<std::size_t>(f.gpus);
  if (n < 2) return {};
  const bool linked = f.kind == Fabric::Kind::nvswitch || f.kind == Fabric::Kind::nvlink_all;
  if (f.pairs.size() != n * n || f.kind == Fabric::Kind::nvswitch)
    return linked && f.nvlinks > 0
               ? Fabric::Rings{static_cast<double>(f.nvlinks) * f.nvlink_each, true}
               : Fabric::Rings{f.pcie, false};
  const auto graph = Builder(f).build();
  auto left = graph.capacity;
  Search search(graph);
  double total = 0;
  bool nvlink = false;
  // One ring at a time, no more on it than one link carries: several rings share out the links of
  // a mesh. A ring over PCIe takes all that is left and ends the search.
  for (int rings = 0; rings < 2 * std::max(f.nvlinks, 1); ++rings) {
    double rate = 0;
    std::vector<std::size_t> ring(n);
    std::iota(ring.begin(), ring.end(), std::size_t{0});
    std::vector<int> crossed;
    if (n <= searchable) {
      ring = search.best(left, rate);
      if (rate <= 0) break;
      crossed = Search::crossings(graph, ring);
    } else {
      crossed = Search::crossings(graph, ring);
      rate = std::numeric_limits<double>::infinity();
      for (std::size_t e = 0; e < left.size(); ++e)
        if (crossed[e] > 0) rate = std::min(rate, left[e] / crossed[e]);
      if (rate <= 0) break;
    }
    const bool all_nvlink = over_nvlink_only(f, ring);
    if (rings == 0) nvlink = all_nvlink;
    if (all_nvlink != nvlink) break;  // NCCL doesn't add a slow ring to fast ones
    if (all_nvlink) rate = std::min(rate, f.nvlink_each.base());
    for (std::size_t e = 0; e < left.size(); ++e) left[e] -= crossed[e] * rate;
    for (auto& l : left)
      if (l < 1e6) l = 0;  // what rounding leaves
    total += rate;
    if (!all_nvlink) break;
  }
  return {BytesPerSecond::base(total), nvlink};
}

Fabric with_rings(Fabric fabric) {
  fabric.rings = best_rings(fabric);
  return fabric;
}

}  // namespace gpuvet::model
