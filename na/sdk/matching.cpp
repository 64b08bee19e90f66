// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/matching.hpp"

namespace cinnabar::na::sdk {

void UnexpectedReceives::post(PostedReceive& receive) noexcept {
    receive.previous = nullptr;
    receive.next = top_;
    receive.posted = true;
    if (top_ != nullptr) top_->previous = &receive;
    top_ = &receive;
}

PostedReceive* UnexpectedReceives::take() noexcept {
    PostedReceive* receive = top_;
    if (receive != nullptr) remove(*receive);
    return receive;
}

void UnexpectedReceives::remove(PostedReceive& receive) noexcept {
    (receive.previous != nullptr ? receive.previous->next : top_) = receive.next;
    if (receive.next != nullptr) receive.next->previous = receive.previous;
    receive.posted = false;
}

std::size_t ExpectedReceives::bucket_of(const void* source, std::uint8_t source_id,
                                        na_tag_t tag) noexcept {
    // Tags of one peer are consecutive, so they spread by themselves; peers are told apart by
    // address.
    const auto key = reinterpret_cast<std::uintptr_t>(source) >> 6;
    return (key * 31 + source_id * 7 + tag) % bucket_count;
}

void ExpectedReceives::post(PostedReceive& receive) noexcept {
    Bucket& bucket = buckets_[bucket_of(receive.source, receive.source_id, receive.tag)];
    receive.next = nullptr;
    receive.previous = bucket.last;
    receive.posted = true;
    (bucket.last != nullptr ? bucket.last->next : bucket.first) = &receive;
    bucket.last = &receive;
    ++count_;
}

void ExpectedReceives::unlink(Bucket& bucket, PostedReceive& receive) noexcept {
    (receive.previous != nullptr ? receive.previous->next : bucket.first) = receive.next;
    (receive.next != nullptr ? receive.next->previous : bucket.last) = receive.previous;
    receive.posted = false;
    --count_;
}

PostedReceive* ExpectedReceives::take(const void* source, std::uint8_t source_id,
                                      na_tag_t tag) noexcept {
    Bucket& bucket = buckets_[bucket_of(source, source_id, tag)];
    for (PostedReceive* receive = bucket.first; receive != nullptr; receive = receive->next) {
        if (receive->tag == tag && receive->source == source && receive->source_id == source_id) {
            unlink(bucket, *receive);
            return receive;
        }
    }
    return nullptr;
}

PostedReceive* ExpectedReceives::take_any_of(const void* source) noexcept {
    if (count_ == 0) return nullptr;
    for (Bucket& bucket : buckets_)
        for (PostedReceive* receive = bucket.first; receive != nullptr; receive = receive->next)
            if (receive->source == source) {
                unlink(bucket, *receive);
                return receive;
            }
    return nullptr;
}

PostedReceive* ExpectedReceives::take_any() noexcept {
    if (count_ == 0) return nullptr;
    for (Bucket& bucket : buckets_)
        if (PostedReceive* receive = bucket.first; receive != nullptr) {
            unlink(bucket, *receive);
            return receive;
        }
    return nullptr;
}

void ExpectedReceives::remove(PostedReceive& receive) noexcept {
    unlink(buckets_[bucket_of(receive.source, receive.source_id, receive.tag)], receive);
}

}  // namespace cinnabar::na::sdk
