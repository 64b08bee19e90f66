// SPDX-License-Identifier: BSD-3-Clause
// How an engine is opened: its options with the lists of pools and streams filled in, from and to
// JSON, and as the C API wants them. Functions of their arguments only.
#pragma once

#include <mercury.h>

#include <string>
#include <vector>

#include "cinnabar/engine.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

struct Configuration {
    std::string info;
    EngineOptions options;
};

// The options that the text describes; what it does not say is as in `given`.
Result<Configuration> read_json(const std::string& text, const EngineOptions& given);
// With all lists and defaults.
std::string write_json(const Configuration& configuration);

// Whether pools and streams have names that fit together; the text of an error names the key.
Result<void> check(const EngineOptions& options);
// The same options with `pools` and `stream_list` that say it all.
EngineOptions with_lists(EngineOptions options);
std::vector<Pool> make_pools(const EngineOptions& options);
// Borrows the strings of `options`.
hg_init_info init_info(const EngineOptions& options);

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
