// SPDX-License-Identifier: Apache-2.0
// Outputs of dcgmi that tell of DCGM and not of the machine, and its errors: recognised so that the
// sender learns what to send instead.
#include <array>

#include "core/text.hpp"
#include "ingest/dcgm_text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer dcgm_listing();

namespace {

struct Listing {
  std::string_view sign, what;
};

constexpr std::array listings{
    Listing{"| FIELD GROUPS ", "field groups"},
    Listing{"| GROUPS ", "groups"},
    Listing{"| List Modules ", "modules"},
    Listing{"Error: unable to establish a connection to the specified host", ""},
    Listing{"Error: Unable to connect to host engine", ""},
};

const Listing* find(std::string_view text) {
  for (const auto& listing : listings)
    if (contains(text, listing.sign)) return &listing;
  return nullptr;
}

bool recognises(std::string_view head) { return find(head) != nullptr; }

Result<void> read(ByteSource& source, Recorder&) {
  LineReader lines{source};
  while (const auto line = lines.next()) {
    const Listing* listing = find(*line);
    if (listing == nullptr) continue;
    if (listing->what.empty()) GPUVET_CHECK(check_dcgm_error(*line, lines.line()));
    return fail(Errc::not_supported,
                "a list of DCGM's own " + std::string(listing->what) +
                    " says nothing of the machine: send dcgmi diag -r 3 -j instead",
                lines.line());
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return fail(Errc::malformed, "no list of dcgmi", lines.line());
}

}  // namespace

Importer dcgm_listing() {
  return {"dcgm_listing", "lists of dcgmi", "none of them is of use: send dcgmi diag -r 3 -j",
          recognises, read};
}

}  // namespace gpuvet::ingest
