// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/flights.hpp"

#include <new>

namespace cinnabar::ucx {

Flight* Flights::take() noexcept {
    try {
        if (free_ == nullptr) {
            all_.push_back(std::make_unique<Flight>());
            free_ = all_.back().get();
        }
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    Flight* flight = free_;
    free_ = flight->next;
    return flight;
}

}  // namespace cinnabar::ucx
