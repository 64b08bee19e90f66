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
    void post(PostedReceive& receive) noexcept {
        receive.previous = nullptr;
        receive.next = top_;
        receive.posted = true;
        if (top_ != nullptr) top_->previous = &receive;
        top_ = &receive;
    }
    // nullptr when none is posted.
    PostedReceive* take() noexcept {
        PostedReceive* receive = top_;
        if (receive == nullptr) return nullptr;
        top_ = receive->next;
        if (top_ != nullptr) top_->previous = nullptr;
        receive->posted = false;
        return receive;
    }
    void remove(PostedReceive& receive) noexcept;
    bool empty() const noexcept { return top_ == nullptr; }

private:
    PostedReceive* top_ = nullptr;
};

class ExpectedReceives {
public:
    void post(PostedReceive& receive) noexcept {
        Bucket& bucket = buckets_[bucket_of(receive.source, receive.source_id, receive.tag)];
        receive.next = nullptr;
        receive.previous = bucket.last;
        receive.posted = true;
        (bucket.last != nullptr ? bucket.last->next : bucket.first) = &receive;
        bucket.last = &receive;
        ++count_;
    }
    // Unlinks and returns the receive that a message matches (the one posted first), or nullptr.
    PostedReceive* take(const void* source, std::uint8_t source_id, na_tag_t tag) noexcept {
        Bucket& bucket = buckets_[bucket_of(source, source_id, tag)];
        PostedReceive* receive = bucket.first;
        while (receive != nullptr && (receive->tag != tag || receive->source != source ||
                                      receive->source_id != source_id))
            receive = receive->next;
        if (receive != nullptr) unlink(bucket, *receive);
        return receive;
    }
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
    // Tags of one peer are consecutive, so they spread by themselves; peers are told apart by
    // address.
    static std::size_t bucket_of(const void* source, std::uint8_t source_id,
                                 na_tag_t tag) noexcept {
        const auto key = reinterpret_cast<std::uintptr_t>(source) >> 6;
        return (key * 31 + source_id * 7 + tag) % bucket_count;
    }
    void unlink(Bucket& bucket, PostedReceive& receive) noexcept {
        (receive.previous != nullptr ? receive.previous->next : bucket.first) = receive.next;
        (receive.next != nullptr ? receive.next->previous : bucket.last) = receive.previous;
        receive.posted = false;
        --count_;
    }

    std::array<Bucket, bucket_count> buckets_{};
    std::size_t count_ = 0;
};

}  // namespace cinnabar::na::sdk
