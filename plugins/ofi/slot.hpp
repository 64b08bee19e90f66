// SPDX-License-Identifier: BSD-3-Clause
// What the library is given to remember a request by: its own room, an envelope's bytes for a
// message, the operation for a piece of RMA. Slots of a context come from blocks that live as long
// as the context, so a completion that comes late finds its slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "plugins/ofi/fabric.hpp"
#include "plugins/ofi/options.hpp"

namespace cinnabar::ofi {

struct Op;
struct Channel;

enum class SlotKind : std::uint8_t { receive, send, rma };

struct Slot {
    fi_context2 room{};  // first: the library hands its address back
    SlotKind kind = SlotKind::send;
    bool in_library = false;
    Channel* channel = nullptr;  // while in the library, of a send or RMA
    Op* op = nullptr;            // RMA; nullptr: nobody waits for it any more
    std::uint64_t offset = 0;    // RMA: in the operation
    std::byte* bytes = nullptr;
    std::size_t used = 0;
    void* descriptor = nullptr;
    Slot* next = nullptr;
};

inline Slot& slot_of(void* op_context) noexcept {
    return *static_cast<Slot*>(op_context);
}

// Slots of one kind.
class SlotPool {
public:
    // `count` more slots, each with `size` bytes (may be 0), registered where the library demands
    // it.
    Status grow(const Fabric& fabric, SlotKind kind, std::size_t count, std::size_t size);
    Slot* take() noexcept {
        Slot* slot = free_;
        if (slot == nullptr) return nullptr;
        free_ = slot->next;
        slot->next = nullptr;
        slot->used = 0;
        return slot;
    }
    void give(Slot& slot) noexcept {
        slot.in_library = false;
        slot.channel = nullptr;
        slot.op = nullptr;
        slot.next = free_;
        free_ = &slot;
    }
    std::size_t size() const noexcept { return size_; }
    template <class Visit>
    void for_each(Visit&& visit) {
        for (Block& block : blocks_)
            for (std::size_t i = 0; i < block.count; ++i)
                visit(block.slots[i]);
    }

private:
    struct Block {
        std::unique_ptr<Slot[]> slots;
        std::size_t count = 0;
        std::unique_ptr<std::byte[]> bytes;
        Fid<fid_mr> registration;  // closed before the bytes go
    };
    std::vector<Block> blocks_;
    Slot* free_ = nullptr;
    std::size_t size_ = 0;
};

// FIFO of slots.
class SlotQueue {
public:
    bool empty() const noexcept { return first_ == nullptr; }
    std::size_t size() const noexcept { return size_; }
    Slot* front() const noexcept { return first_; }
    void push(Slot& slot) noexcept {
        slot.next = nullptr;
        (last_ != nullptr ? last_->next : first_) = &slot;
        last_ = &slot;
        ++size_;
    }
    Slot* pop() noexcept {
        Slot* slot = first_;
        if (slot == nullptr) return nullptr;
        first_ = slot->next;
        if (first_ == nullptr) last_ = nullptr;
        slot->next = nullptr;
        --size_;
        return slot;
    }

private:
    Slot* first_ = nullptr;
    Slot* last_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace cinnabar::ofi
