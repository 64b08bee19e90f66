// SPDX-License-Identifier: BSD-3-Clause
// A peer that can be called. A handle: copies are cheap and refer to the same address. Outlives its
// engine harmlessly; a call to it then gives Errc::closed. Any thread.
#pragma once

#include <memory>
#include <string>

#include "cinnabar/export.hpp"

namespace cinnabar {
inline namespace v1 {

namespace detail {
struct Address;
}

class CINNABAR_API Endpoint {
public:
    Endpoint() = default;
    explicit Endpoint(std::shared_ptr<detail::Address> address) noexcept
        : address_(std::move(address)) {}

    // What lookup() of any engine on the same kind of network understands; empty without an address
    // and when the engine is closed.
    std::string address() const;
    const std::shared_ptr<detail::Address>& core() const noexcept { return address_; }

private:
    std::shared_ptr<detail::Address> address_;
};

}  // namespace v1
}  // namespace cinnabar
