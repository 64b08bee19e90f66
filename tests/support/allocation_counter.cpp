// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/allocation_counter.hpp"

#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CINNABAR_COUNT_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CINNABAR_COUNT_ALLOCATIONS 0
#endif
#endif
#ifndef CINNABAR_COUNT_ALLOCATIONS
#define CINNABAR_COUNT_ALLOCATIONS 1
#endif

namespace cinnabar::test {
namespace {

thread_local unsigned long allocations = 0;

}  // namespace

bool AllocationCounter::available() noexcept {
    return CINNABAR_COUNT_ALLOCATIONS != 0;
}
unsigned long AllocationCounter::total() noexcept {
    return allocations;
}

}  // namespace cinnabar::test

#if CINNABAR_COUNT_ALLOCATIONS

#define CINNABAR_INTERPOSE extern "C" __attribute__((visibility("default")))

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

using cinnabar::test::allocations;

CINNABAR_INTERPOSE void* malloc(std::size_t size) {
    ++allocations;
    return __libc_malloc(size);
}

CINNABAR_INTERPOSE void* calloc(std::size_t count, std::size_t size) {
    ++allocations;
    return __libc_calloc(count, size);
}

CINNABAR_INTERPOSE void* realloc(void* block, std::size_t size) {
    ++allocations;
    return __libc_realloc(block, size);
}

CINNABAR_INTERPOSE void* aligned_alloc(std::size_t alignment, std::size_t size) {
    ++allocations;
    return __libc_memalign(alignment, size);
}

CINNABAR_INTERPOSE int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
    ++allocations;
    *block = __libc_memalign(alignment, size);
    return *block == nullptr ? ENOMEM : 0;
}

#endif
