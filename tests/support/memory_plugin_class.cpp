// SPDX-License-Identifier: BSD-3-Clause
// The in-memory transport: opening, addresses, memory handles.
#include <cctype>
#include <cstring>
#include <utility>

#include "na/sdk/host.hpp"
#include "tests/support/memory_plugin_net.hpp"

namespace cinnabar::mem {

Memory::~Memory() {
    if (owner_ != nullptr) (void)deregister_memory(*owner_);
}

Status Memory::create(Class&, const na_segment* segments, std::size_t count, unsigned long flags) {
    segments_.assign(segments, segments + count);
    descriptor_ = {Descriptor::expected_magic, static_cast<std::uint32_t>(flags), 0, 0};
    for (const na_segment& segment : segments_)
        descriptor_.length += segment.len;
    return {};
}

Status Memory::register_memory(Class& cls, na_mem_type type, std::uint64_t) {
    if (type != NA_MEM_TYPE_HOST) return NA_OPNOTSUPPORTED;
    std::lock_guard lock(fabric().mutex);
    owner_ = &cls;
    descriptor_.key = fabric().next_key++;
    cls.memories.emplace(descriptor_.key, this);
    return {};
}

Status Memory::deregister_memory(Class& cls) {
    std::lock_guard lock(fabric().mutex);
    cls.memories.erase(descriptor_.key);
    owner_ = nullptr;
    return {};
}

Status Memory::serialize(Class&, void* buf, std::size_t size) const {
    if (size < sizeof descriptor_) return NA_OVERFLOW;
    std::memcpy(buf, &descriptor_, sizeof descriptor_);
    return {};
}

Status Memory::deserialize(Class&, const void* buf, std::size_t size) {
    if (size < sizeof descriptor_) return NA_OVERFLOW;
    std::memcpy(&descriptor_, buf, sizeof descriptor_);
    return descriptor_.magic == Descriptor::expected_magic ? NA_SUCCESS : NA_PROTOCOL_ERROR;
}

Address::~Address() {
    std::lock_guard lock(fabric().mutex);
    const auto found = cls.addresses.find(name);
    if (found != cls.addresses.end() && found->second == this) cls.addresses.erase(found);
}

static bool is_peer_name(std::string_view text) {
    if (!text.starts_with(prefix) || text.size() == prefix.size() || text.size() > 64) return false;
    return std::all_of(text.begin() + prefix.size(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
}

Status Class::open(const na_plugin_open& info) {
    Fabric& f = fabric();
    std::lock_guard lock(f.mutex);
    std::string text(prefix);
    text += info.listen && *info.host != '\0' ? info.host : fmt::format("auto-{}", f.next_name++);
    if (!is_peer_name(text))
        return log_error(NA_INVALID_ARG, subsystem, "\"{}\" is not a name for a peer", text);
    if (f.classes.contains(text)) return log_error(NA_ADDRINUSE, subsystem, "{} is in use", text);
    f.classes.emplace(text, this);
    name = std::move(text);
    busy = (info.init->progress_mode & NA_NO_BLOCK) != 0;
    max_message = std::max(max_message, info.init->max_unexpected_size);
    return {};
}

Class::~Class() {
    std::lock_guard lock(fabric().mutex);
    const auto found = fabric().classes.find(name);
    if (found != fabric().classes.end() && found->second == this) fabric().remove(name);
}

void Class::get_limits(na_limits& limits) const {
    limits.max_unexpected_size = limits.max_expected_size = max_message;
    limits.max_segments = 4096;
    limits.max_tag = NA_TAG_MAX;
}

Address* Class::intern(const std::string& peer) {
    Address*& entry = addresses[peer];
    if (entry == nullptr || !na::sdk::try_ref(*entry))
        entry = na::sdk::create_address<Address>(*this, *this, peer);
    return entry;
}

Status Class::intern_locked(const std::string& peer, Address*& found) {
    std::lock_guard lock(fabric().mutex);
    found = intern(peer);
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::lookup(std::string_view text, Address*& found) {
    if (!is_peer_name(text))
        return log_error(text.starts_with(prefix) ? NA_INVALID_ARG : NA_PROTONOSUPPORT, subsystem,
                         "\"{}\" is not an address: expected mem://name", text);
    return intern_locked(std::string(text), found);
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
    const std::string_view text(static_cast<const char*>(buf), size);
    if (!is_peer_name(text)) return NA_PROTOCOL_ERROR;
    return intern_locked(std::string(text), made);
}

}  // namespace cinnabar::mem
