// SPDX-License-Identifier: Apache-2.0
// Runs while gpuvet is built: parses the catalogue below DATA and writes it, packed, as C++.
//   gpuvet_pack_catalogue DATA OUTPUT.cpp
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> toml_files(const fs::path& root) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.path().extension() == ".toml") out.push_back(entry.path());
  return out;
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A literal for each piece: the standard asks compilers for 64 KiB a literal only.
std::string as_literals(const std::string& bytes) {
  constexpr std::size_t piece = 16000;
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (at % piece == 0) out += at == 0 ? "      \"" : "\"\n      \"";
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const char digits[] = {'\\', static_cast<char>('0' + byte / 64),
                           static_cast<char>('0' + byte / 8 % 8),
                           static_cast<char>('0' + byte % 8)};
    out.append(digits, sizeof digits);
  }
  return out + "\"";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gpuvet::catalogue;
  if (argc != 3) {
    std::fprintf(stderr, "usage: gpuvet_pack_catalogue DATA OUTPUT.cpp\n");
    return 2;
  }
  const fs::path root = argv[1];
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& path : toml_files(root))
    texts.emplace_back(fs::relative(path, root).generic_string(), text_of(path));
  std::sort(texts.begin(), texts.end());
  std::vector<File> files;
  for (const auto& [path, text] : texts) files.push_back({path, text});
  const auto parsed = parse(files);
  if (!parsed) {
    std::fprintf(stderr, "%s/%s\n", argv[1], parsed.error().message().c_str());
    return 1;
  }
  const std::string packed = pack(*parsed);
  std::ofstream out(argv[2], std::ios::binary);
  out << "// Generated from data/ by tools/pack_catalogue.cpp.\n"
         "#include \"catalogue/packed.hpp\"\n\n"
         "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n"
         "namespace gpuvet::catalogue {\n\n"
         "std::string_view packed_data() {\n  return {\n"
      << as_literals(packed) << ",\n      " << packed.size()
      << "};\n}\n\n}  // namespace gpuvet::catalogue\n";
  return out.flush() ? 0 : 1;
}
