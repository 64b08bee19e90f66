// SPDX-License-Identifier: BSD-3-Clause
#include "na/sdk/framed/class.hpp"

#include <algorithm>
#include <cstring>

#include "na/sdk/framed/frame.hpp"

namespace cinnabar::na::sdk::framed {

namespace {
constexpr std::size_t usual_message = 4096;
constexpr std::size_t most_segments = 65536;
}  // namespace

Status Class::open(const na_plugin_open& info) {
    CINNABAR_TRY(net_->open(info));
    addresses_.open(this, net_->name());
    scheme_ = std::string(info.protocol) + "://";
    busy_ = (info.init->progress_mode & NA_NO_BLOCK) != 0;
    const std::size_t asked =
        std::max(info.init->max_unexpected_size, info.init->max_expected_size);
    message_limit_ = std::clamp(asked, usual_message, net_->largest_frame() - header_size);
    return {};
}

void Class::get_limits(na_limits& limits) const {
    limits.max_unexpected_size = limits.max_expected_size = message_limit_;
    limits.max_segments = most_segments;
    limits.max_tag = NA_TAG_MAX;
}

Status Class::find(std::string_view name, Address*& found) {
    found = addresses_.intern(name);
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::lookup(std::string_view name, Address*& found) {
    if (!name.starts_with(scheme_)) return NA_PROTONOSUPPORT;
    return net_->is_name(name) ? find(name, found) : NA_INVALID_ARG;
}

Status Class::self(Address*& found) {
    return find(net_->name(), found);
}

Status Class::to_string(const Address& address, char* buf, std::size_t& size) const {
    const std::size_t given = std::exchange(size, address.name.size() + 1);
    if (buf == nullptr) return {};
    if (given < size) return NA_OVERFLOW;
    std::memcpy(buf, address.name.c_str(), size);
    return {};
}

Status Class::serialize(const Address& address, void* buf, std::size_t size) const {
    if (size < address.name.size()) return NA_OVERFLOW;
    std::memcpy(buf, address.name.data(), address.name.size());
    return {};
}

Status Class::deserialize(const void* buf, std::size_t size, Address*& made) {
    const std::string_view name(static_cast<const char*>(buf), size);
    return net_->is_name(name) ? find(name, made) : NA_PROTOCOL_ERROR;
}

}  // namespace cinnabar::na::sdk::framed
