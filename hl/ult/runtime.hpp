// SPDX-License-Identifier: BSD-3-Clause
// What all pools of the process share: the timer and the stacks. It lives as long as a pool does,
// so that no thread is left when the last one is gone.
#pragma once

#include <memory>

#include "hl/ult/stack.hpp"
#include "hl/ult/timer.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

struct Runtime {
    Timer timer;
    StackCache stacks;

    static std::shared_ptr<Runtime> get();
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
