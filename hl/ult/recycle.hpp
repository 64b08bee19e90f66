// SPDX-License-Identifier: BSD-3-Clause
// Memory for what is made and ended with every call: units and calls. Blocks are kept by the thread
// that made them and come back to it, whichever thread frees them, so that in a steady stream of
// calls nothing is asked of malloc. A thread keeps a bounded number of each size and gives them up
// when it ends. Any thread may free anything. Under sanitizers, and where units are threads, it is
// malloc.
#pragma once

#include <cstddef>

namespace cinnabar {
inline namespace v1 {
namespace detail {

// Aligned as operator new aligns; throws std::bad_alloc.
void* recycled_new(std::size_t size);
void recycled_delete(void* memory) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
