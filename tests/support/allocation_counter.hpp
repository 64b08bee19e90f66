// SPDX-License-Identifier: BSD-3-Clause
// Counts the allocations of the calling thread, through malloc and everything built on it, in all
// libraries of the process: for tests that say "allocates nothing". A file that uses it makes the
// binary interpose malloc; under a sanitizer, which owns malloc, it is not available.
#pragma once

namespace cinnabar::test {

class AllocationCounter {
public:
    // Whether counting works in this build; a test that needs it returns early if not.
    static bool available() noexcept;

    AllocationCounter() noexcept : start_(total()) {}
    // Allocations since construction, of this thread.
    unsigned long count() const noexcept { return total() - start_; }

private:
    static unsigned long total() noexcept;
    unsigned long start_;
};

}  // namespace cinnabar::test
