// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ucx/flights.hpp"

#include <new>

namespace cinnabar::ucx {

Flight* Flights::take(bool with_copy) noexcept {
    try {
        if (free_ == nullptr) {
            all_.push_back(std::make_unique<Flight>());
            free_ = all_.back().get();
        }
        if (with_copy && free_->copy == nullptr)
            free_->copy = std::make_unique_for_overwrite<std::byte[]>(options::copy_limit);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    Flight* flight = free_;
    free_ = flight->next;
    return flight;
}

}  // namespace cinnabar::ucx
