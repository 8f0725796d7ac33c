// SPDX-License-Identifier: Apache-2.0
// Fits the models' free constants to a table of published measurements and writes them into
// data/models; with --intervals, also how far off predictions are on what a fit had not seen, into
// data/intervals.toml.
//   model_fit measurements.tsv --data data/ [--kind NAME] [--rounds N] [--write] [--intervals]
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "accuracy/fit.hpp"
#include "accuracy/score.hpp"
#include "core/text.hpp"
#include "platform/files.hpp"

namespace gpuvet::accuracy {
namespace {

constexpr std::size_t largest_file = std::size_t{256} << 20;

struct Arguments {
  std::string table, data, kind;
  int rounds = 40;
  bool write = false, intervals = false;
};

/// `text` with the value of the constant `name` replaced: the first "value = " line below its name.
Result<std::string> with_value(std::string text, const std::string& name, double value) {
  const auto block = text.find("name = \"" + name + "\"");
  const auto line = block == std::string::npos ? block : text.find("\nvalue = ", block);
  if (line == std::string::npos) return fail(Errc::not_found, "no value of " + name);
  const auto from = line + std::string_view("\nvalue = ").size();
  return text.replace(from, text.find('\n', from) - from, fmt::format("{:.4g}", value));
}

Result<void> write_constants(const std::string& folder, const Kind& kind,
                             const catalogue::Catalogue& catalogue,
                             const model::Constants& constants) {
  for (const auto& model : catalogue.models) {
    if (std::find(kind.constants.begin(), kind.constants.end(), model.id) == kind.constants.end())
      continue;
    const std::string path = folder + "/models/" + model.id + ".toml";
    GPUVET_TRY(auto text, platform::read_file(path, largest_file));
    for (const auto& [name, constant] : model.constants)
      if (constant.range) {
        GPUVET_TRY(text, with_value(std::move(text), name, constants.at(model.id + "." + name)));
      }
    GPUVET_CHECK(platform::write_file(path, text));
  }
  return {};
}

void print_residuals(const Kind& kind, const std::vector<Residual>& residuals) {
  const std::map<LeftOut, std::string_view> titles = {{LeftOut::group, "group"},
                                                      {LeftOut::gpu, "GPU"},
                                                      {LeftOut::framework, "software"},
                                                      {LeftOut::topology, "topology"}};
  for (const auto& [left_out, title] : titles) {
    std::map<std::string, std::vector<double>> errors;
    for (const auto& r : residuals)
      if (r.left_out == left_out)
        errors[r.estimate.family].push_back(std::abs(std::exp(r.log_error) - 1));
    for (const auto& [family, of] : errors)
      fmt::print("{}: {} without its {}: {} rows, median {:.1f} %, p90 {:.1f} %\n", kind.name,
                 family, title, of.size(), quantile(of, 0.5) * 100, quantile(of, 0.9) * 100);
  }
}

std::string toml_of(const std::vector<catalogue::IntervalFamily>& families) {
  std::string out =
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# Written by bench/model_fit --intervals: how far predictions were off on measurements that "
      "the fit\n# had not seen.\n";
  const auto list = [](const std::vector<std::string>& words) {
    return words.empty() ? std::string("[]") : "[\"" + join(words, "\", \"") + "\"]";
  };
  for (const auto& f : families) {
    out += fmt::format("\n[[family]]\nid = \"{}\"\nrows = {}\ngroups = {}\ngpus = {}\n", f.id,
                       f.rows, f.groups, list(f.gpus));
    out += fmt::format("frameworks = {}\ntopologies = {}\nsmallest = {:.6g}\nlargest = {:.6g}\n",
                       list(f.frameworks), list(f.topologies), f.smallest, f.largest);
    const auto width = [&](const char* key, const std::optional<double>& q) {
      if (q) out += fmt::format("{} = {:.4f}\n", key, *q);
    };
    width("same_gpu", f.same_gpu);
    width("new_gpu", f.new_gpu);
    width("new_framework", f.new_framework);
    width("new_topology", f.new_topology);
    const auto errors = [&](const char* key, const auto& e) {
      if (e)
        out += fmt::format("{} = {{ median = {:.4f}, p90 = {:.4f} }}\n", key, e->median, e->p90);
    };
    errors("without_group", f.without_group);
    errors("without_gpu", f.without_gpu);
    errors("without_software", f.without_software);
  }
  return out;
}

Result<void> run(const Arguments& a) {
  GPUVET_TRY(const auto catalogue, read_catalogue(a.data));
  GPUVET_TRY(const auto text, platform::read_file(a.table, largest_file));
  GPUVET_TRY(const auto rows, in_context(read_rows(text), a.table));
  model::Constants constants(catalogue);
  std::map<std::string, catalogue::IntervalFamily> families;
  for (const auto& family : catalogue.intervals) families[family.id] = family;
  for (const auto& kind : kinds()) {
    if (!a.kind.empty() && kind.name != a.kind) continue;
    std::vector<const Row*> measured;
    for (const auto& row : rows)
      if (row.value && kind.takes(row)) measured.push_back(&row);
    const double before = loss(kind, catalogue, constants, measured);
    constants = fit(kind, catalogue, constants, measured, a.rounds);
    fmt::print("{}: loss {:.4f}, was {:.4f}\n", kind.name,
               loss(kind, catalogue, constants, measured), before);
    for (const auto& model : catalogue.models)
      for (const auto& [name, constant] : model.constants)
        if (const double now = constants.at(model.id + "." + name); now != constant.value)
          fmt::print("  {}.{} {:.4g}, was {:.4g}\n", model.id, name, now, constant.value);
    if (a.write) GPUVET_CHECK(write_constants(a.data, kind, catalogue, constants));
    if (!a.intervals) continue;
    const auto residuals = cross_validate(kind, catalogue, constants, measured, a.rounds);
    print_residuals(kind, residuals);
    for (auto& family : families_of(residuals)) families[family.id] = std::move(family);
  }
  if (!a.intervals || !a.write) return {};
  std::vector<catalogue::IntervalFamily> all;
  for (auto& [id, family] : families) all.push_back(std::move(family));
  return platform::write_file(a.data + "/intervals.toml", toml_of(all));
}

}  // namespace
}  // namespace gpuvet::accuracy

int main(int argc, char** argv) {
  gpuvet::accuracy::Arguments a;
  bool usable = argc > 1;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--data" && more)
      a.data = argv[++i];
    else if (word == "--kind" && more)
      a.kind = argv[++i];
    else if (word == "--rounds" && more)
      a.rounds = std::atoi(argv[++i]);
    else if (word == "--write")
      a.write = true;
    else if (word == "--intervals")
      a.intervals = true;
    else if (word[0] != '-' && a.table.empty())
      a.table = word;
    else
      usable = false;
  }
  if (!usable || a.table.empty() || a.data.empty()) {
    std::fprintf(stderr,
                 "usage: model_fit TABLE.tsv --data DIR [--kind NAME] [--rounds N] [--write] "
                 "[--intervals]\n");
    return 2;
  }
  const auto done = gpuvet::accuracy::run(a);
  if (!done) std::fprintf(stderr, "model_fit: %s\n", done.error().message().c_str());
  return done ? 0 : 2;
}
