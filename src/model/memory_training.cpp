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
  const double e = job.precision == Precision::fp32 || job.precision == Precision::tf32 ? 4 : 2;
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

MemoryEstimate Memory::stage(const TrainingJob& job, const Program& program, const Stage& s) const {
  const auto& net = job.net;
  const double t = job.tensor;
  const bool tied = net.tied_embeddings && !program.unties && s.first && s.last;
  const double cross =
      net.layers > 0 ? net.cross_layers / net.layers * 4 * net.hidden * net.heads * net.head_dim
                     : 0;
  const double layer = (net.layer_parameters() + cross) / t;
  const double output = net.vocabulary * net.hidden / t;
  const double embeddings =
      (s.first ? output + net.positions * net.hidden : 0) + (s.last && !tied ? output : 0);
  const double matrices = s.layers * layer, parameters = matrices + embeddings;
  const bool full = job.method == Method::full;
  const double adapters =
      full ? 0 : s.layers * job.lora_rank * adapted_width(net, program.adapted) / t;
  const auto spread_over = [&](Sharding from) { return job.sharding >= from ? s.shards : 1; };

  MemoryEstimate m;
  double weights = 0, gradients = 0, optimizer = 0, stepped = 0;
  if (full) {
    weights = parameters * program.weight / spread_over(Sharding::weights);
    gradients = parameters * program.gradient / spread_over(Sharding::gradients);
    optimizer = parameters * program.optimizer / spread_over(Sharding::optimizer);
    stepped = parameters / spread_over(Sharding::optimizer);
  } else {
    const double element = program.frozen == StoredWeights::fp32 ? 4 : 2;
    const double beside =
        program.loss == Program::Loss::autocast ? trainer_embedding_ : deepspeed_embedding_;
    const double held = element + (program.fp32_embeddings ? beside : 0);
    weights =
        (matrices * bytes_of(program.frozen) + embeddings * held) / spread_over(Sharding::weights);
    const double trained = adapters + (job.lora_embeddings ? embeddings : 0);
    const double own = job.lora_embeddings ? embeddings * (program.fp32_embeddings ? 0 : 4) : 0;
    weights += (adapters * program.adapter / 4 + own) / spread_over(Sharding::weights);
    gradients = trained * program.adapter / 4 / spread_over(Sharding::gradients);
    optimizer = trained * program.adapter / 2 / spread_over(Sharding::optimizer);
    stepped = trained / spread_over(Sharding::optimizer);
  }
  if (job.cpu_offload) optimizer = gradients = stepped = 0;

  double gathered = 0;
  if (job.sharding == Sharding::weights && (s.shards > 1 || job.cpu_offload)) {
    const double element = full                                    ? 2
                           : program.frozen == StoredWeights::fp32 ? 4
                                                                   : bytes_of(program.frozen);
    if (job.cpu_offload) weights = 0;
    if (program.live_parameters)  // those in use, and as many kept for reuse or fetched ahead
      gathered = element * std::min(matrices, std::max(2 * live_parameters_, 2 * layer)) +
                 std::max(element, 2.0) * embeddings +
                 (job.lora_embeddings ? 6 * embeddings : 0);  // the trained ones and gradients
    else if (job.pipeline > 1 && program.keeps_gathered)
      gathered = element * parameters + (full ? 4 * parameters : 0);
    else  // this layer and the next, the gradient of this one, and the outermost unit
      gathered = 2 * element * layer + (full ? 4 * layer : 0) + std::max(element, 2.0) * embeddings;
  }
  if (program.copies_output && bytes_of(program.frozen) < 2 && !full) gathered += 2 * output;

  const double tokens = job.micro_batch * job.sequence / job.context;
  const double e = job.precision == Precision::fp32 || job.precision == Precision::tf32 ? 4 : 2;
  const double whole = tokens * saved_per_token(job, program, true);
  // The input passes the encoder's layers, the target the decoder's, which attend twice.
  const double target = net.cross_layers > 0 ? program.target_share : 1;
  const double decoder = net.layers > 0 ? net.cross_layers / net.layers : 0;
  const double kept_layers = s.layers * (1 - decoder + decoder * 1.5 * target);
  double saved = 0, again = 0;  // kept by all layers; what one layer makes again
  if (job.recompute == Recompute::full) {
    const double input = e * net.hidden / (job.sequence_parallel ? t : 1);
    saved = tokens * input * kept_layers * s.in_flight;
    again = whole;
  } else {
    saved = tokens * saved_per_token(job, program, false) * kept_layers * s.in_flight;
    if (job.recompute == Recompute::selective && program.selective_matmuls) again = whole;
  }
  // Sequence parallelism gathers whole rows before a matrix product and keeps their gradient; both
  // ways twice unless products and transfers are cut into pieces that overlap.
  if (job.sequence_parallel && t > 1)
    gathered += (program.overlaps_pieces ? 2 : 4) * tokens * e * net.hidden;
  // PyTorch's pipeline stages have a buffer for each microbatch's rows and one for their gradient.
  if (program.keeps_gathered && job.pipeline > 1)
    gathered += 2 * s.micro_batches * tokens * e * net.hidden;
  const double logits = s.last ? target * tokens * logits_per_token(program, net) / t : 0;

  m.weights = Bytes::base(weights);
  m.gradients = Bytes::base(gradients);
  m.optimizer = Bytes::base(optimizer);
  // Logits are gone before the first layer is made again, so the larger of the two counts.
  MemoryEstimate backward = m, step = m;
  backward.activations = Bytes::base(logits >= again ? saved : saved + again);
  backward.logits = Bytes::base(logits >= again ? logits : 0);
  backward.buffers = Bytes::base(gathered);
  backward.peak = "backward pass";
  // DeepSpeed steps a group of parameters at a time; others step in place or leave gaps that the
  // backward pass has left bigger.
  if (program.live_parameters && job.sharding == Sharding::weights)
    step.buffers = Bytes::base(step_ * std::min(stepped, live_parameters_));
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
