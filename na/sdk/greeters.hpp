// SPDX-License-Identifier: BSD-3-Clause
// Accepted sockets whose greeting has not come: strangers, who could otherwise collect without
// end. FIFO, intrusive, limited in number; those that stay silent for long are to be dropped. One
// for each context, used inside its serial.
//
// A Connection has the members greeter (bool, false), accepted_ms (std::int64_t), next_greeter and
// previous_greeter (pointers, null), which are used here only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "na/base/clock.hpp"

namespace cinnabar::na::sdk {

struct Patience {
    std::size_t most;       // how many may be silent at once
    std::int64_t ms;        // for so long
    std::int64_t hurry_ms;  // or for so long, when that many are
};

template <class Connection>
class Greeters {
public:
    explicit Greeters(const Patience& patience) noexcept : patience_(patience) {}

    bool full() const noexcept { return count_ >= patience_.most; }

    void add(Connection& connection) noexcept {
        connection.greeter = true;
        connection.accepted_ms = coarse_now_ms();
        connection.next_greeter = nullptr;
        connection.previous_greeter = last_;
        (last_ != nullptr ? last_->next_greeter : first_) = &connection;
        last_ = &connection;
        ++count_;
    }

    // Nothing if it is not one of them.
    void remove(Connection& connection) noexcept {
        if (!connection.greeter) return;
        connection.greeter = false;
        (connection.previous_greeter != nullptr ? connection.previous_greeter->next_greeter
                                                : first_) = connection.next_greeter;
        (connection.next_greeter != nullptr ? connection.next_greeter->previous_greeter : last_) =
            connection.previous_greeter;
        --count_;
    }

    // One that has been silent too long, or nullptr. When there are too many, that is sooner.
    Connection* overdue() const noexcept {
        if (first_ == nullptr) return nullptr;
        const std::int64_t patience = full() ? patience_.hurry_ms : patience_.ms;
        return coarse_now_ms() - first_->accepted_ms >= patience ? first_ : nullptr;
    }

private:
    const Patience patience_;
    Connection* first_ = nullptr;
    Connection* last_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace cinnabar::na::sdk
