// SPDX-License-Identifier: Apache-2.0
// Training: states, saved tensors layer by layer (Korthikanti et al. 2022, arXiv 2205.05198,
// extended to gated feed-forward parts, grouped keys, adapters and quantised weights), logits,
// gathered weights.
#include <algorithm>
#include <cmath>

#include "model/memory.hpp"

namespace gpuvet::model {
namespace {

/// Width in and out of the adapted matrices of a layer: an adapter has rank times that many
/// parameters.
double adapted_width(const Transformer& net, Adapted adapted) {
  const double q = net.heads * net.head_dim, kv = net.kv_heads * net.head_dim;
  const double up = (net.gated ? 2 : 1) * (net.hidden + net.ffn), down = net.ffn + net.hidden;
  if (adapted == Adapted::query_value) return 2 * net.hidden + q + kv;
  const double attention = (net.hidden + q + 2 * kv) + (q + net.hidden);
  if (adapted == Adapted::attention) return attention;
  return attention + up + (adapted == Adapted::all ? down : 0);
}

/// Bytes per token and vocabulary entry of a fused loss: half precision logits, and an fp32 softmax
/// that turns into the gradient.
constexpr double fused_loss = 6;
/// The same of single operations in fp32: half precision logits, then in fp32 the logits, shifted
/// ones, their exponentials and the gradient.
constexpr double fp32_loss = 18;

/// Bytes of an element of activations.
double element_of(const TrainingJob& job) {
  return job.precision == Precision::fp32 || job.precision == Precision::tf32 ? 4 : 2;
}

double data_parallel(const TrainingJob& job, int ranks) {
  return static_cast<double>(ranks) / (job.tensor * job.pipeline * job.context);
}

}  // namespace

/// What one rank holds of the model.
struct Memory::Stage {
  double layers = 0;         ///< of the net, on this rank's pipeline stage
  double in_flight = 1;      ///< microbatches whose activations it keeps
  double micro_batches = 1;  ///< of one optimizer step
  bool first = true, last = true;
  double shards = 1;  ///< ranks over which states are spread
  int ranks = 1;
};

double Memory::logits_per_token(const Program& program, const Transformer& net) const {
  if (program.loss == Program::Loss::fused) return fused_loss * net.vocabulary;
  if (program.loss == Program::Loss::autocast) return logits_autocast_ * net.vocabulary;
  if (program.loss == Program::Loss::in_fp32) return fp32_loss * net.vocabulary;
  return logits_ * net.vocabulary;
}

double Memory::saved_per_token(const TrainingJob& job, const Program& program, bool all) const {
  const auto& net = job.net;
  const double e = element_of(job);
  const double t = job.tensor, sp = job.sequence_parallel ? t : 1;
  const double h = net.hidden, q = net.heads * net.head_dim;
  const double kv = program.expands_kv ? q : net.kv_heads * net.head_dim;
  const double f = net.ffn * net.active_experts;
  if (!all && job.recompute == Recompute::selective && program.selective_matmuls)
    return e * (h / sp + q / t) +
           e / 2 * ((q + 2 * kv) / t + 2 * h / sp + (net.gated ? 2 : 1) * f / t);

  const bool quantised = job.method == Method::qlora;
  const bool inputs = job.method == Method::full || (quantised && program.quantised_inputs);
  const double rotary = program.norm_in_steps ? rotary_ * e / 2 : 0;
  const double norm = net.gated && program.norm_in_steps ? rms_norm_ * e / 2 : e;
  double attention = norm * h / sp + e * (2 * q + 2 * kv) / t + rotary * (q + kv) / t;
  if (inputs) attention += e * h / sp;
  if (!job.flash_attention && (all || job.recompute != Recompute::selective))
    attention += 2.5 * e * net.heads * job.sequence / t;
  double feed_forward = norm * h / sp + e * f / t;
  if (net.gated) feed_forward += (job.compiled ? 1 : 2) * e * f / t;
  if (inputs) feed_forward += e * (h / sp + f / t);
  if (job.method != Method::full && program.adapter_dropout) {
    attention += (e + 1) * h / sp;  // the dropped input and its mask
    if (program.adapted != Adapted::query_value) feed_forward += (e + 1) * h / sp;
  }
  if (program.dropout) {
    attention += h / sp;
    feed_forward += h / sp;
  }
  return attention + feed_forward;
}

/// Parameters of a stage and the bytes of their states.
struct Memory::States {
  double layer = 0, matrices = 0, output = 0, embeddings = 0;  ///< parameters
  double weights = 0, gradients = 0, optimizer = 0;            ///< bytes
  double stepped = 0;                                          ///< parameters
};

Memory::States Memory::states(const TrainingJob& job, const Program& program,
                              const Stage& s) const {
  const auto& net = job.net;
  const double t = job.tensor;
  const bool tied = net.tied_embeddings && !program.unties && s.first && s.last;
  const double crossing =
      net.layers > 0 ? net.cross_layers / net.layers * 4 * net.hidden * net.heads * net.head_dim
                     : 0;
  States out;
  out.layer = (net.layer_parameters() + crossing) / t;
  out.output = net.vocabulary * net.hidden / t;
  out.embeddings =
      (s.first ? out.output + net.positions * net.hidden : 0) + (s.last && !tied ? out.output : 0);
  out.matrices = s.layers * out.layer;
  const auto shards = [&](Sharding from) { return job.sharding >= from ? s.shards : 1; };
  if (job.method == Method::full) {
    const double parameters = out.matrices + out.embeddings;
    out.weights = parameters * program.weight;
    out.gradients = parameters * program.gradient;
    out.optimizer = parameters * program.optimizer;
    out.stepped = parameters;
  } else {
    // A quarter of an adapter's bytes are its weight, a quarter its gradient, half the optimizer's.
    const double adapters = s.layers * job.lora_rank * adapted_width(net, program.adapted) / t;
    const double beside =
        program.loss == Program::Loss::autocast ? trainer_embedding_ : deepspeed_embedding_;
    double held = program.frozen == StoredWeights::fp32 ? 4 : 2;
    if (program.fp32_embeddings)
      held += beside;
    else if (job.lora_embeddings)
      held += 4;  // a copy to be trained
    const double trained = adapters + (job.lora_embeddings ? out.embeddings : 0);
    out.weights = out.matrices * bytes_of(program.frozen) + out.embeddings * held +
                  adapters * program.adapter / 4;
    out.gradients = trained * program.adapter / 4;
    out.optimizer = trained * program.adapter / 2;
    out.stepped = trained;
  }
  out.weights /= shards(Sharding::weights);
  out.gradients /= shards(Sharding::gradients);
  out.optimizer /= shards(Sharding::optimizer);
  out.stepped /= shards(Sharding::optimizer);
  if (job.cpu_offload) {
    out.optimizer = out.gradients = out.stepped = 0;
    if (job.sharding == Sharding::weights) out.weights = 0;
  }
  return out;
}

double Memory::gathered(const TrainingJob& job, const Program& program, const Stage& s,
                        const States& of) const {
  const bool full = job.method == Method::full;
  const double t = job.tensor;
  const double row = job.micro_batch * job.sequence / job.context * element_of(job) *
                     job.net.hidden;  // of all tokens, not spread over tensor ranks
  double out = 0;
  if (job.sharding == Sharding::weights && (s.shards > 1 || job.cpu_offload)) {
    const double element = full ? 2 : std::min(bytes_of(program.frozen), 4.0);
    const double outermost = std::max(element, 2.0) * of.embeddings;
    if (program.live_parameters)  // those in use, and as many kept for reuse or fetched ahead
      out = element * std::min(of.matrices, std::max(2 * live_parameters_, 2 * of.layer)) +
            outermost +
            (job.lora_embeddings ? 6 * of.embeddings : 0);  // the trained ones and gradients
    else if (job.pipeline > 1 && program.keeps_gathered)
      out = (element + (full ? 4 : 0)) * (of.matrices + of.embeddings);
    else  // this layer and the next, the gradient of this one, and the outermost unit
      out = (2 * element + (full ? 4 : 0)) * of.layer + outermost;
  }
  if (program.copies_output && bytes_of(program.frozen) < 2 && !full) out += 2 * of.output;
  // Sequence parallelism gathers whole rows before a matrix product and keeps their gradient; both
  // ways twice unless products and transfers are cut into pieces that overlap.
  if (job.sequence_parallel && t > 1) out += (program.overlaps_pieces ? 2 : 4) * row;
  // PyTorch's pipeline stages have a buffer for each microbatch's rows and one for their gradient.
  if (program.keeps_gathered && job.pipeline > 1) out += 2 * s.micro_batches * row;
  return out;
}

MemoryEstimate Memory::stage(const TrainingJob& job, const Program& program, const Stage& s) const {
  const auto& net = job.net;
  const double t = job.tensor;
  const States of = states(job, program, s);
  const double tokens = job.micro_batch * job.sequence / job.context;
  const double whole = tokens * saved_per_token(job, program, true);
  // The input passes the encoder's layers, the target the decoder's, which attend twice.
  const double target = net.cross_layers > 0 ? program.target_share : 1;
  const double decoder = net.layers > 0 ? net.cross_layers / net.layers : 0;
  const double layers = s.layers * (1 - decoder + decoder * 1.5 * target) * s.in_flight;
  double saved = 0, again = 0;  // kept by all layers; what one layer makes again
  if (job.recompute == Recompute::full) {
    saved = tokens * element_of(job) * net.hidden / (job.sequence_parallel ? t : 1) * layers;
    again = whole;
  } else {
    saved = tokens * saved_per_token(job, program, false) * layers;
    if (job.recompute == Recompute::selective && program.selective_matmuls) again = whole;
  }
  const double logits = s.last ? target * tokens * logits_per_token(program, net) / t : 0;

  MemoryEstimate step;
  step.weights = Bytes::base(of.weights);
  step.gradients = Bytes::base(of.gradients);
  step.optimizer = Bytes::base(of.optimizer);
  MemoryEstimate backward = step;
  // Logits are gone before the first layer is made again, so the larger of the two counts.
  backward.activations = Bytes::base(logits >= again ? saved : saved + again);
  backward.logits = Bytes::base(logits >= again ? logits : 0);
  backward.buffers = Bytes::base(gathered(job, program, s, of));
  backward.peak = "backward pass";
  // DeepSpeed steps a group of parameters at a time; others step in place or leave gaps that the
  // backward pass has left bigger.
  if (program.live_parameters && job.sharding == Sharding::weights)
    step.buffers = Bytes::base(step_ * std::min(of.stepped, live_parameters_));
  step.peak = "optimizer step";
  backward = summed(backward, s.ranks, program.gaps);
  step = summed(step, s.ranks, program.gaps);
  return backward.total >= step.total ? backward : step;
}

Answer<MemoryEstimate> Memory::training(const TrainingJob& job, int ranks) const {
  return training(job, ranks, program_of(job));
}

Answer<MemoryEstimate> Memory::training(const TrainingJob& job, int ranks,
                                        const Program& program) const {
  if (job.net.layers <= 0 || job.net.hidden <= 0) return refuse("the net has no layers");
  if (job.sequence <= 0 || job.micro_batch <= 0) return refuse("the job has no tokens");
  const int together = job.tensor * job.pipeline * job.context;
  if (together <= 0 || ranks <= 0 || ranks % together != 0)
    return refuse(std::to_string(ranks) + " GPUs cannot be divided into groups of " +
                  std::to_string(together) + " for tensor, pipeline and context parallelism");
  const double data = data_parallel(job, ranks);
  Stage s;
  s.ranks = ranks;
  s.layers = job.net.layers / job.pipeline;
  s.shards = job.sharding_ranks > 0 ? std::min<double>(job.sharding_ranks, data * job.context)
                                    : data * job.context;
  s.last = job.pipeline == 1;
  if (!s.last) {
    // The first stage starts as many microbatches as there are stages before its first backward
    // pass, and with interleaving (p - 1) / v more of its share (Korthikanti, section 4.2.3).
    s.micro_batches = std::max(1.0, job.global_batch / (job.micro_batch * data));
    const double stages = job.pipeline;
    const double ahead = job.interleave > 1 ? (stages - 1) / job.interleave : 0;
    s.in_flight = job.global_batch > 1 ? std::min(stages + ahead, s.micro_batches) : stages + ahead;
  }
  MemoryEstimate out = stage(job, program, s);
  if (!s.last) {
    Stage end = s;
    end.first = false;
    end.last = true;
    end.in_flight = 1;
    const auto at_the_end = stage(job, program, end);
    if (at_the_end.total > out.total) out = at_the_end;
  }
  out.spread = spread_training_;
  return out;
}

}  // namespace gpuvet::model
