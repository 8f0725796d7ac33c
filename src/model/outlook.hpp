// SPDX-License-Identifier: Apache-2.0
// What a workload would do on a machine: whether it fits, how fast, how long a job takes, how many
// GPUs a load needs; each figure with its interval, and why where there is none.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "evidence/evidence.hpp"
#include "model/intervals.hpp"
#include "model/machine.hpp"
#include "model/models.hpp"
#include "model/plan.hpp"

namespace gpuvet::model {

struct Outlook {
  enum class Status { fits, does_not_fit, uncertain, unknown };

  std::string workload;  ///< id
  std::string machine;
  Status status = Status::unknown;
  std::vector<std::string> because;  ///< in words, the deciding reason first
  std::string plan;                  ///< how it is laid out
  std::string job;                   ///< what one job or the load is
  std::string unit;                  ///< of `rate`: "tokens", "samples", "requests"

  std::optional<Prediction> memory;       ///< bytes of the fullest GPU
  std::optional<Prediction> rate;         ///< a second, of the whole machine
  std::optional<Prediction> job_time;     ///< seconds of one job
  std::optional<Prediction> first_token;  ///< seconds that 95 % keep, at the asked rate per GPU
  std::optional<Prediction> per_token;
  std::optional<Prediction> power;  ///< watts at the wall while it runs
  int gpus_needed = 0;              ///< serving: for the asked rate; 0: not known
  int gpus_with_spare = 0;          ///< and so that enough of them work
  double million_tokens = 0;        ///< seconds for a million generated tokens; serving
  std::vector<std::pair<std::string, double>> shares;  ///< of the step's time
};

std::string_view name(Outlook::Status);

/// All models and what they need, built once.
class Outlooks {
 public:
  explicit Outlooks(const catalogue::Catalogue&);

  [[nodiscard]] Outlook of(const catalogue::Workload&, const Machine&) const;

  [[nodiscard]] const Models& models() const { return models_; }
  [[nodiscard]] const Intervals& intervals() const { return intervals_; }

  /// A wall-power prediction while `load` runs.
  [[nodiscard]] Answer<Prediction> power(const Machine&, Load) const;

 private:
  void train(const catalogue::TrainingSpec&, const Machine&, Outlook&) const;
  void train_layers(const catalogue::TrainingSpec&, const catalogue::Architecture&, const Machine&,
                    Outlook&) const;
  void serve(const catalogue::ServingSpec&, const Machine&, Outlook&) const;
  double largest_rate(std::vector<double> key, const std::function<double()>& simulated) const;

  /// What a replica takes within the limits, by all that decides it: servers with the same GPUs
  /// need one simulation.
  struct Remembered {
    std::mutex mutex;
    std::map<std::vector<double>, double> largest;
  };
  mutable Remembered remembered_;

  const catalogue::Catalogue& catalogue_;
  Models models_;
  Intervals intervals_;
};

/// As observations: subject "workload:<id>", how = modelled.
void record(const Outlook&, Recorder& out);

}  // namespace gpuvet::model
