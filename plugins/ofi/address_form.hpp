// SPDX-License-Identifier: BSD-3-Clause
// An address as the library has it, as bytes, and as it stands in a name behind "://". Pure, but
// that an IP form with a host name asks the resolver.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "na/base/result.hpp"
#include "na/sdk/ip.hpp"
#include "plugins/ofi/providers.hpp"

namespace cinnabar::ofi {

using Raw = std::vector<std::byte>;

// The text of an address of the library. NA_PROTOCOL_ERROR: it is none of this form.
Result<std::string> text_of(const Provider& provider, const Raw& raw);
// The bytes behind a text; the text of a host name becomes numeric in `canonical`. Names are
// resolved only if `resolve`. NA_INVALID_ARG, NA_ADDRNOTAVAIL.
Result<Raw> raw_of(const Provider& provider, std::string_view text, na_addr_format format,
                   bool resolve, std::string& canonical);
// The IP address and port in bytes of the form ip; false if there are none.
bool ip_of(const Raw& raw, na::sdk::IpAddress& ip, std::uint16_t& port) noexcept;
Raw raw_of_ip(const na::sdk::IpAddress& ip, std::uint16_t port);

}  // namespace cinnabar::ofi
