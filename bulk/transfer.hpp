// SPDX-License-Identifier: BSD-3-Clause
// A transfer: one request to move bytes between regions, carried out as the steps of its plan, a
// bounded number of them in flight. Completes exactly once, through a user's callback at trigger
// or, inside the library, through a function called from progress. Recycled by its context.
#pragma once

#include <array>
#include <atomic>

#include "bulk/plan.hpp"
#include "bulk/region.hpp"
#include "hg/core/completion_queue.hpp"
#include "na/base/local_atomic.hpp"

namespace cinnabar::bulk {

constexpr std::size_t window = 16;  // net operations in flight of one transfer

// One net operation of a transfer. Its state is the only thing that a completion touches.
struct Slot {
    enum State : int { free, posted, ended };
    hg_op_id* transfer = nullptr;
    na_op_id_t* op = nullptr;  // made on first use
    std::atomic<int> state{free};
    hg_return_t ret = HG_SUCCESS;
};

struct TransferRequest {
    hg_bulk_op_t op;
    hg_addr* origin_addr;
    std::uint8_t origin_id;
    hg_bulk* origin;
    std::uint64_t origin_offset;
    hg_bulk* local;
    std::uint64_t local_offset;
    std::uint64_t size;
};

// Who is told: a user at trigger, or the library at once.
struct TransferDone {
    hg_cb_t callback = nullptr;
    void* arg = nullptr;
    void (*internal)(void* arg, hg_return_t ret) noexcept = nullptr;
    std::atomic<hg_op_id*>* id = nullptr;  // receives the transfer before it is started
};

}  // namespace cinnabar::bulk

// What hg_op_id_t points to.
struct hg_op_id {
    hg_context* context = nullptr;
    cinnabar::bulk::TransferRequest request{};
    na_addr_t* remote = nullptr;  // held while steps are left to be posted
    cinnabar::bulk::TransferDone done;
    cinnabar::bulk::Plan plan;
    cinnabar::hg::Completion completion;
    hg_return_t ret = HG_SUCCESS;  // the first error
    cinnabar::LocalAtomic<bool> cancelled{false};
    // Of the pump: transfers of more than one step.
    bool exhausted = false;  // the plan has no further step
    cinnabar::LocalAtomic<int> pump_requests{0};
    int requests_seen = 0;  // of the pumping thread, like all that is not atomic
    int posts = 0;
    std::size_t slots_used = 0;
    std::array<cinnabar::bulk::Slot, cinnabar::bulk::window> slots;
    hg_op_id* next_in_pool = nullptr;
};

namespace cinnabar::bulk {

// A blank transfer, whose request and done the caller fills in place before it starts or abandons
// it. May throw bad_alloc.
hg_op_id& new_transfer(hg_context& context);
void abandon_transfer(hg_op_id& transfer) noexcept;
// Checks as HG_Bulk_transfer() documents; nothing is changed on error.
hg_return_t check_transfer(const hg_context& context, const TransferRequest& request);
// Starts it towards an address of the net, which is needed only for the call. What is done will be
// told once, perhaps before this returns; *op_id, if asked for, is written before anything is
// started.
void start_transfer(hg_op_id& transfer, na_addr_t* remote, hg_op_id** op_id) noexcept;
// Asks it to end early. Only while it is in flight.
void cancel_transfer(hg_op_id& transfer) noexcept;

}  // namespace cinnabar::bulk
