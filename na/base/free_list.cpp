// SPDX-License-Identifier: BSD-3-Clause
#include "na/base/free_list.hpp"

namespace cinnabar {
namespace {

// Initial-exec: one word at a fixed place, where a call would otherwise look it up.
[[gnu::tls_model("initial-exec")]] thread_local std::size_t number = 0;
std::atomic<std::size_t> next{1};

}  // namespace

std::size_t thread_number() noexcept {
    if (number == 0) number = next.fetch_add(1, std::memory_order_relaxed);
    return number;
}

}  // namespace cinnabar
