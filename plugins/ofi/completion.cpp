// SPDX-License-Identifier: BSD-3-Clause
// What the library reports: completions, read in batches, and errors.
#include <array>

#include "na/base/log.hpp"
#include "plugins/ofi/class.hpp"
#include "plugins/ofi/context.hpp"
#include "plugins/ofi/error_code.hpp"

namespace cinnabar::ofi {

// True: there were some.
bool Context::take_completions() noexcept {
    std::array<fi_cq_msg_entry, options::read_batch> entries;
    bool any = false;
    for (unsigned round = 0; round < options::read_rounds; ++round) {
        const long count = endpoint_.read(entries);
        if (count == -FI_EAVAIL) {
            take_errors();
            any = true;
            continue;
        }
        if (count <= 0) break;
        any = true;
        for (long i = 0; i < count; ++i) {
            const auto& entry = entries[static_cast<std::size_t>(i)];
            slot_back(slot_of(entry.op_context), entry.len, 0);
        }
        post_receives();
        if (static_cast<std::size_t>(count) < entries.size()) break;
    }
    if (!unposted_.empty()) post_receives();
    return any;
}

void Context::take_errors() noexcept {
    fi_cq_err_entry error{};
    while (endpoint_.read_error(error) > 0) {
        if (error.op_context != nullptr)
            slot_back(slot_of(error.op_context), 0, error.err == 0 ? FI_EIO : error.err);
        error = fi_cq_err_entry{};
    }
}

void Context::slot_back(Slot& slot, std::size_t size, int error) noexcept {
    slot.in_library = false;
    if (slot.kind == SlotKind::receive) {
        if (error == 0 && size <= options::envelope_size) take_envelope({slot.bytes, size});
        unposted_.push(slot);
        return;
    }
    Channel* channel = slot.channel;
    Peer* peer = nullptr;
    if (channel != nullptr) {
        --channel->in_library;
        peer = channel->dead ? nullptr : channel->peer;
        // It was for one answer only.
        if (!channel->dead && channel->peer == nullptr && channel->own == nullptr &&
            channel->in_library == 0)
            drop(*channel);
    }
    if (slot.kind == SlotKind::rma) {
        if (error != 0 && peer != nullptr && channel == peer->bulk)
            bulk_lost(*peer, code_of_fi(error));
        piece_ended(slot, error == 0 ? NA_SUCCESS : code_of_fi(error));
        pieces_.give(slot);
        if (channel != nullptr && channel->dead) return;
        if (!cls_.fabric().provider().errors_cut) return;
    } else {
        sends_.give(slot);
    }
    if (error == 0 || peer == nullptr) return;
    // The library may have tried a connection of its own to one that was there before.
    if (peer->phase == Phase::greeting && !cls_.fabric().connected_kind() &&
        ++peer->tries < options::greeting_tries) {
        try {
            greet(*peer, Kind::hello);
            return;
        } catch (const std::exception&) {
            // It is lost then.
        }
    }
    fail(*peer, loss_of_fi(error), fi_strerror(error));
}

void Context::post_receives() noexcept {
    while (Slot* slot = unposted_.front()) {
        const long ret = endpoint_.post_receive(*slot);
        if (ret != 0) {
            if (!is_again(ret))
                log_warning(log_name, "{}: a receive is not taken: {}", cls_.self_name(),
                            fi_strerror(static_cast<int>(-ret)));
            return;
        }
        slot->in_library = true;
        unposted_.pop();
        slot->in_library = true;
    }
}

}  // namespace cinnabar::ofi
