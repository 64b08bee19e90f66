// SPDX-License-Identifier: BSD-3-Clause
// The transport as libna sees it: its name, opening a net, addresses, memory handles.
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <random>

#include "local.hpp"
#include "na/base/errno_code.hpp"
#include "na/sdk/adapter.hpp"

namespace local {

using cinnabar::log_error;

FileDescriptor open_socket(decltype(::connect)* what, std::string_view name,
                           const std::string& suffix) {
    const std::string text = fmt::format("cinnabar-{}{}", name, suffix);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // A zero in front: not a file. Names are short enough, see is_name().
    std::memcpy(address.sun_path + 1, text.data(), text.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    FileDescriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd && what(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
        const int error = errno;
        fd.reset();
        errno = error;
    }
    return fd;
}

static bool is_name(std::string_view text) {
    if (!text.starts_with(scheme) || text.size() == scheme.size() || text.size() > 80) return false;
    return std::all_of(text.begin() + scheme.size(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
}

Status Class::open(const na_plugin_open& info) {
    name = scheme;
    if (info.listen && *info.host != '\0')
        name += info.host;
    else
        name += fmt::format("{}-{:08x}", ::getpid(), std::random_device()());
    if (!is_name(name)) return log_error(NA_INVALID_ARG, subsystem, "\"{}\" is not a name", name);
    reserved_ = open_socket(::bind, name, "");
    if (!reserved_) {
        const int error = errno;
        return log_error(cinnabar::code_of_errno(error), subsystem, "{}: {}", name,
                         std::strerror(error));
    }
    busy = (info.init->progress_mode & NA_NO_BLOCK) != 0;
    const std::size_t asked =
        std::max(info.init->max_unexpected_size, info.init->max_expected_size);
    message_limit = std::clamp<std::size_t>(asked, 4096, largest_message);
    return {};
}

void Class::get_limits(na_limits& limits) const {
    limits.max_unexpected_size = limits.max_expected_size = message_limit;
    limits.max_segments = most_segments;
    limits.max_tag = NA_TAG_MAX;
}

// One object for each peer, so that comparing addresses is comparing pointers.
Status Class::lookup(std::string_view text, Address*& found) {
    if (!text.starts_with(scheme)) return NA_PROTONOSUPPORT;
    if (!is_name(text)) return NA_INVALID_ARG;
    const std::lock_guard lock(mutex_);
    Address*& entry = addresses_[std::string(text)];
    // One that is about to be destroyed waits for the lock, and then finds its place taken.
    if (entry == nullptr || !sdk::try_ref(*entry))
        entry = sdk::create_address<Address>(*this, *this, std::string(text));
    found = entry;
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Address::~Address() {
    const std::lock_guard lock(cls.mutex_);
    const auto found = cls.addresses_.find(name);
    if (found != cls.addresses_.end() && found->second == this) cls.addresses_.erase(found);
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
    return is_name(text) ? lookup(text, made) : NA_PROTOCOL_ERROR;
}

namespace {

struct Descriptor {
    static constexpr std::uint32_t right_magic = 0x6c6f636d;
    std::uint32_t magic;
    std::uint32_t flags;
    std::uint64_t count;  // of segments, which follow
};

struct Plugin {
    static constexpr const char* name = "local";
    static constexpr const char* class_name = "na";
    using Class = local::Class;
    using Context = local::Context;
    using Address = local::Address;
    using Op = local::Op;
    using Memory = local::Memory;
    static bool check_protocol(std::string_view protocol) { return protocol == "local"; }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        emit(arg, "local", "local");
    }
};

}  // namespace

Status Memory::create(Class&, const na_segment* segments, std::size_t count, unsigned long flags) {
    segments_.assign(segments, segments + count);
    flags_ = static_cast<std::uint32_t>(flags);
    for (const na_segment& segment : segments_)
        total_ += segment.len;
    return {};
}

Status Memory::register_memory(Class&, na_mem_type type, std::uint64_t) {
    return type == NA_MEM_TYPE_HOST ? NA_SUCCESS : NA_OPNOTSUPPORTED;
}

std::size_t Memory::serialize_size(Class&) const {
    return sizeof(Descriptor) + segments_.size() * sizeof(na_segment);
}

Status Memory::serialize(Class& cls, void* buf, std::size_t size) const {
    if (size < serialize_size(cls)) return NA_OVERFLOW;
    const Descriptor descriptor{Descriptor::right_magic, flags_, segments_.size()};
    std::memcpy(buf, &descriptor, sizeof descriptor);
    std::memcpy(static_cast<std::byte*>(buf) + sizeof descriptor, segments_.data(),
                segments_.size() * sizeof(na_segment));
    return {};
}

// Bytes from a peer: nothing in them is believed.
Status Memory::deserialize(Class&, const void* buf, std::size_t size) {
    Descriptor descriptor;
    if (size < sizeof descriptor) return NA_OVERFLOW;
    std::memcpy(&descriptor, buf, sizeof descriptor);
    if (descriptor.magic != Descriptor::right_magic || descriptor.count == 0 ||
        descriptor.count > most_segments)
        return NA_PROTOCOL_ERROR;
    if (descriptor.count > (size - sizeof descriptor) / sizeof(na_segment)) return NA_OVERFLOW;
    flags_ = descriptor.flags;
    segments_.resize(descriptor.count);
    std::memcpy(segments_.data(), static_cast<const std::byte*>(buf) + sizeof descriptor,
                segments_.size() * sizeof(na_segment));
    for (const na_segment& segment : segments_)
        if (__builtin_add_overflow(total_, segment.len, &total_)) return NA_PROTOCOL_ERROR;
    return {};
}

std::size_t Memory::pieces(na_offset_t offset, std::size_t size, iovec* to,
                           std::size_t room) const {
    std::size_t count = 0;
    for (const na_segment& segment : segments_) {
        if (offset >= segment.len) {
            offset -= segment.len;
            continue;
        }
        if (size == 0 || count == room) break;
        const std::size_t part = std::min<std::size_t>(size, segment.len - offset);
        to[count++] = {static_cast<std::byte*>(segment.base) + offset, part};
        size -= part;
        offset = 0;
    }
    return count;
}

}  // namespace local

CINNABAR_NA_PLUGIN(local::Plugin)
