// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/matching.hpp"

namespace cinnabar::na::sdk {

void UnexpectedReceives::remove(PostedReceive& receive) noexcept {
    (receive.previous != nullptr ? receive.previous->next : top_) = receive.next;
    if (receive.next != nullptr) receive.next->previous = receive.previous;
    receive.posted = false;
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
