// SPDX-License-Identifier: BSD-3-Clause
// Posted receives and how messages find them. Unexpected receives are a stack, so that the buffer
// used last, still warm, is used next; expected receives are found by source, source context and
// tag in a hash table of intrusive chains. No allocation after construction, no locks: the owner
// serialises.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "na_types.h"

namespace cinnabar::na::sdk {

// A posted receive; a plugin's operation derives from it.
struct PostedReceive {
    PostedReceive* next = nullptr;
    PostedReceive* previous = nullptr;
    bool posted = false;  // linked in one of the two structures below
    void* buf = nullptr;
    std::size_t size = 0;
    const void* source = nullptr;  // expected: the key of the sender (a connection or an address)
    na_tag_t tag = 0;
    std::uint8_t source_id = 0;
};

class UnexpectedReceives {
public:
    void post(PostedReceive& receive) noexcept;
    PostedReceive* take() noexcept;  // nullptr when none is posted
    void remove(PostedReceive& receive) noexcept;
    bool empty() const noexcept { return top_ == nullptr; }

private:
    PostedReceive* top_ = nullptr;
};

class ExpectedReceives {
public:
    void post(PostedReceive& receive) noexcept;
    // Unlinks and returns the receive that a message matches (the one posted first), or nullptr.
    PostedReceive* take(const void* source, std::uint8_t source_id, na_tag_t tag) noexcept;
    // Unlinks and returns any receive from this source, or nullptr: to end them all when a peer
    // dies.
    PostedReceive* take_any_of(const void* source) noexcept;
    // Unlinks and returns any receive at all, or nullptr: at tear-down.
    PostedReceive* take_any() noexcept;
    void remove(PostedReceive& receive) noexcept;
    bool empty() const noexcept { return count_ == 0; }

private:
    static constexpr std::size_t bucket_count = 256;
    struct Bucket {
        PostedReceive* first = nullptr;
        PostedReceive* last = nullptr;
    };
    static std::size_t bucket_of(const void* source, std::uint8_t source_id, na_tag_t tag) noexcept;
    void unlink(Bucket& bucket, PostedReceive& receive) noexcept;

    std::array<Bucket, bucket_count> buckets_{};
    std::size_t count_ = 0;
};

}  // namespace cinnabar::na::sdk
