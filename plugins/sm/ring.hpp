// SPDX-License-Identifier: BSD-3-Clause
// One direction of a connection: a ring of 128-byte slots that carry small messages inline, and
// beside it a FIFO ring of bytes for the larger ones. One producer, one consumer, in two processes;
// the memory is shared and the other side is not trusted: every word is read once, checked, and an
// index that cannot be makes the ring `corrupt`, never a wild access. A message costs the producer
// one release store and no read of a line that the consumer writes often; the consumer publishes
// its position every quarter. Pure: works on any zeroed RingMemory. Not thread-safe within a side:
// the owner serialises.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "plugins/sm/options.hpp"

namespace cinnabar::sm {

struct RingSlot {
    // Low half: position + 1 of the message that the slot holds; high half: tag. Written last.
    alignas(slot_size) std::atomic<std::uint64_t> stamp;
    // Low half: size in bytes; next 8 bits: kind; the rest is 0.
    std::atomic<std::uint64_t> about;
    std::byte payload[inline_size];
};
static_assert(sizeof(RingSlot) == slot_size);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

struct RingMemory {
    // Written by the consumer.
    struct alignas(64) {
        std::atomic<std::uint32_t> head;        // slots before it may be reused
        std::atomic<std::uint32_t> bytes_head;  // bytes before it may be reused
        std::atomic<std::uint32_t> watched;     // not 0: the consumer looks at the slots by itself
    } consumer;
    // Written by the producer.
    struct alignas(64) {
        std::atomic<std::uint32_t> waiting;  // not 0: ring my bell when head moves
    } producer;
    RingSlot slots[slot_count];
    alignas(64) std::byte bytes[byte_capacity];
};

// Where a message of `size` bytes lies that comes next after `position`: contiguous, 64-byte
// aligned. Both sides compute it, so no offset is ever taken from the peer.
struct BytePlace {
    std::uint32_t start;
    std::uint32_t end;
};
constexpr BytePlace place_bytes(std::uint32_t position, std::uint32_t size) noexcept {
    const std::uint32_t rounded = (size + 63u) & ~63u;
    const std::uint32_t within = position % byte_capacity;
    const std::uint32_t skip = within + rounded > byte_capacity ? byte_capacity - within : 0;
    return {position + skip, position + skip + rounded};
}

class RingProducer {
public:
    RingProducer() noexcept = default;
    explicit RingProducer(RingMemory& memory) noexcept : memory_(&memory) {}

    // Room for a message of size bytes (at most max_message_size), or nullptr while there is none.
    // Fill it, then commit; a reservation that is not committed needs no undoing.
    std::byte* reserve(std::size_t size) noexcept {
        if (tail_ - head_ >= slot_count) {
            refresh();
            if (tail_ - head_ >= slot_count) return nullptr;
        }
        RingSlot& slot = memory_->slots[tail_ % slot_count];
        if (size <= inline_size) {
            place_ = {bytes_tail_, bytes_tail_};
            return slot.payload;
        }
        place_ = place_bytes(bytes_tail_, static_cast<std::uint32_t>(size));
        if (place_.end - bytes_head_ > byte_capacity) {
            refresh();
            if (place_.end - bytes_head_ > byte_capacity) return nullptr;
        }
        return memory_->bytes + place_.start % byte_capacity;
    }

    void commit(std::uint8_t kind, std::uint32_t tag, std::size_t size) noexcept {
        RingSlot& slot = memory_->slots[tail_ % slot_count];
        ++tail_;
        bytes_tail_ = place_.end;
        slot.about.store(static_cast<std::uint32_t>(size) | std::uint64_t{kind} << 32,
                         std::memory_order_relaxed);
        slot.stamp.store(tail_ | std::uint64_t{tag} << 32, std::memory_order_release);
    }

    // After a commit: whether the consumer looks by itself. The caller has seen to the ordering.
    bool watched() const noexcept {
        return memory_->consumer.watched.load(std::memory_order_relaxed) != 0;
    }
    void set_waiting(bool waiting) noexcept {
        memory_->producer.waiting.store(waiting ? 1 : 0, std::memory_order_relaxed);
    }
    // The consumer has published a position that cannot be.
    bool corrupt() const noexcept { return corrupt_; }

private:
    void refresh() noexcept {
        // Acquire: what the consumer has read out of the slots is over before they are reused.
        const std::uint32_t head = memory_->consumer.head.load(std::memory_order_acquire);
        const std::uint32_t bytes_head =
            memory_->consumer.bytes_head.load(std::memory_order_acquire);
        // Positions only grow, and never beyond what was sent.
        if (tail_ - head > tail_ - head_ || bytes_tail_ - bytes_head > bytes_tail_ - bytes_head_) {
            corrupt_ = true;
            return;
        }
        head_ = head;
        bytes_head_ = bytes_head;
    }

    RingMemory* memory_ = nullptr;
    std::uint32_t tail_ = 0;
    std::uint32_t head_ = 0;
    std::uint32_t bytes_tail_ = 0;
    std::uint32_t bytes_head_ = 0;
    BytePlace place_{};
    bool corrupt_ = false;
};

struct RingMessage {
    const std::byte* data = nullptr;  // in shared memory: the peer may scribble on it at any time
    std::uint32_t size = 0;
    std::uint32_t tag = 0;
    std::uint8_t kind = 0;
};

class RingConsumer {
public:
    enum class Look : std::uint8_t { empty, ready, corrupt };

    RingConsumer() noexcept = default;
    explicit RingConsumer(RingMemory& memory) noexcept : memory_(&memory) {}

    bool ready() const noexcept {
        const RingSlot& slot = memory_->slots[position_ % slot_count];
        return static_cast<std::uint32_t>(slot.stamp.load(std::memory_order_acquire)) ==
               position_ + 1;
    }

    // The next message, without taking it.
    Look look(RingMessage& message) const noexcept {
        const RingSlot& slot = memory_->slots[position_ % slot_count];
        const std::uint64_t stamp = slot.stamp.load(std::memory_order_acquire);
        if (static_cast<std::uint32_t>(stamp) != position_ + 1) return Look::empty;
        const std::uint64_t about = slot.about.load(std::memory_order_relaxed);
        message.size = static_cast<std::uint32_t>(about);
        message.tag = static_cast<std::uint32_t>(stamp >> 32);
        message.kind = static_cast<std::uint8_t>(about >> 32);
        if (message.size > max_message_size || about >> 40 != 0) return Look::corrupt;
        message.data =
            message.size <= inline_size
                ? slot.payload
                : memory_->bytes + place_bytes(bytes_position_, message.size).start % byte_capacity;
        return Look::ready;
    }

    // Takes the message last looked at; its data may be overwritten afterwards. True if the
    // position was published, so that a waiting producer must be told.
    bool take(const RingMessage& message) noexcept {
        ++position_;
        if (message.size > inline_size)
            bytes_position_ = place_bytes(bytes_position_, message.size).end;
        if (position_ - published_ < slot_count / 4 &&
            bytes_position_ - bytes_published_ < byte_capacity / 4)
            return false;
        published_ = position_;
        bytes_published_ = bytes_position_;
        memory_->consumer.bytes_head.store(bytes_position_, std::memory_order_release);
        memory_->consumer.head.store(position_, std::memory_order_release);
        return true;
    }

    void set_watched(bool watched) noexcept {
        memory_->consumer.watched.store(watched ? 1 : 0, std::memory_order_relaxed);
    }
    bool producer_waits() const noexcept {
        return memory_->producer.waiting.load(std::memory_order_relaxed) != 0;
    }

private:
    RingMemory* memory_ = nullptr;
    std::uint32_t position_ = 0;
    std::uint32_t published_ = 0;
    std::uint32_t bytes_position_ = 0;
    std::uint32_t bytes_published_ = 0;
};

}  // namespace cinnabar::sm
