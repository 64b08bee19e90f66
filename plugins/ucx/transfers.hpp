// SPDX-License-Identifier: BSD-3-Clause
// What a connection knows of transfers that go by messages: which operations of ours use which
// slot, and, slot by slot, what the peer has asked of our memory. A slot is used by one operation
// at a time; generations tell what belongs to an operation that was given up. So both tables are
// bounded, whatever a peer does and in whatever order its messages come. Pure; used inside a
// context's serial.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "na_types.h"
#include "plugins/ucx/region.hpp"
#include "plugins/ucx/transfer_header.hpp"

namespace cinnabar::ucx {

struct Op;

// Ours.
class Tickets {
public:
    bool full() const noexcept { return free_ == 0; }
    bool idle() const noexcept { return free_ == ~std::uint64_t{0}; }
    // Not while full.
    TransferId take(Op& op) noexcept {
        const auto slot = static_cast<std::uint32_t>(std::countr_zero(free_));
        free_ &= free_ - 1;
        tickets_[slot].op = &op;
        return {slot, ++tickets_[slot].generation};
    }
    // nullptr: it was given up, or never was.
    Op* find(TransferId id) const noexcept {
        if (id.slot >= tickets_.size() || tickets_[id.slot].generation != id.generation)
            return nullptr;
        return tickets_[id.slot].op;
    }
    void give_back(TransferId id) noexcept {
        tickets_[id.slot].op = nullptr;
        free_ |= std::uint64_t{1} << id.slot;
    }
    // Any operation that has a ticket, or nullptr.
    Op* any() const noexcept {
        return idle() ? nullptr : tickets_[static_cast<std::size_t>(std::countr_one(free_))].op;
    }

private:
    struct Ticket {
        Op* op = nullptr;
        std::uint32_t generation = 0;
    };
    std::array<Ticket, transfer_slots> tickets_;
    std::uint64_t free_ = ~std::uint64_t{0};
};

// The peer's.
struct Served {
    TransferId id;
    bool ended = false;              // all is done, but perhaps for the answer
    bool grants = false;             // fetch: the peer can read by itself
    bool offered = false;            // its bytes are read from the peer's memory
    std::vector<Segment> there;      // offered: where they are
    std::shared_ptr<Region> region;  // fetch, offer
    std::uint64_t offset = 0;        // likewise: where in the region it begins
    std::uint64_t size = 0;
    std::uint64_t done = 0;
    na_return_t code = NA_SUCCESS;  // of the answer
};

class Serving {
public:
    // The state of a transfer. `fresh`: this is its first message. nullptr: it was given up, or the
    // slot is none.
    Served* at(TransferId id, bool& fresh) noexcept {
        if (id.slot >= slots_.size()) return nullptr;
        Served& served = slots_[id.slot];
        const auto newer = static_cast<std::int32_t>(id.generation - served.id.generation);
        if (newer < 0) return nullptr;
        fresh = newer > 0;
        if (!fresh) return &served;
        served = Served{};
        served.id = id;
        stop(served);
        return &served;
    }
    // To be sent: bytes, or an answer.
    void start(const Served& served) noexcept { sending_ |= bit(served); }
    void answer(Served& served, na_return_t code) noexcept {
        stop(served);
        served.region.reset();
        served.ended = true;
        served.code = code;
        answering_ |= bit(served);
    }
    void stop(const Served& served) noexcept {
        sending_ &= ~bit(served);
        answering_ &= ~bit(served);
    }
    bool has_work() const noexcept { return (sending_ | answering_) != 0; }
    Served* next_answer() noexcept { return next(answering_); }
    // Takes turns.
    Served* next_to_send() noexcept {
        if (sending_ == 0) return nullptr;
        const std::uint64_t later = sending_ & (~std::uint64_t{0} << turn_);
        Served* served = next(later != 0 ? later : sending_);
        turn_ = (served->id.slot + 1) % transfer_slots;
        return served;
    }

private:
    static std::uint64_t bit(const Served& served) noexcept {
        return std::uint64_t{1} << served.id.slot;
    }
    Served* next(std::uint64_t from) noexcept {
        return from == 0 ? nullptr : &slots_[static_cast<std::size_t>(std::countr_zero(from))];
    }
    std::array<Served, transfer_slots> slots_;
    std::uint64_t sending_ = 0;
    std::uint64_t answering_ = 0;
    std::uint32_t turn_ = 0;
};

// How a transfer with this process's memory is answered at once: NA_SUCCESS if it may be.
inline na_return_t may_use(const Region* region, const TransferHeader& header,
                           unsigned wanted) noexcept {
    if (region == nullptr || header.size == 0 ||
        !inside(header.offset, header.size, region->length()))
        return NA_INVALID_ARG;
    return (region->flags() & wanted) == 0 ? NA_PERMISSION : NA_SUCCESS;
}

struct Transfers {
    Tickets ours;
    Serving theirs;
};

}  // namespace cinnabar::ucx
