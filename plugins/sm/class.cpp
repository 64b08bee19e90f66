// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/sm/class.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "na/base/errno_code.hpp"
#include "na/base/log.hpp"
#include "plugins/sm/context.hpp"
#include "plugins/sm/doorbell.hpp"
#include "plugins/sm/handshake.hpp"

namespace cinnabar::sm {
namespace {

std::atomic<std::uint32_t> next_net{0};

std::size_t message_limit(std::size_t wanted) {
    if (wanted == 0) return default_message_size;
    return std::min(wanted, max_message_size);
}

bool set_in_environment(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' && std::strcmp(value, "0") != 0;
}

}  // namespace

Status Class::open(const na_plugin_open& info) {
    options_.max_unexpected = message_limit(info.init->max_unexpected_size);
    options_.max_expected = message_limit(info.init->max_expected_size);
    options_.blocking = (info.init->progress_mode & NA_NO_BLOCK) == 0;
    options_.cross_memory = !set_in_environment("CINNABAR_SM_NO_CMA");
    listening_ = info.listen;
    fences_ = register_fences();
    if (::getrandom(&incarnation_, sizeof incarnation_, 0) != sizeof incarnation_)
        return log_error(code_of_errno(errno), log_name, "getrandom: {}", std::strerror(errno));
    return choose_name(info.listen ? info.host : "");
}

Status Class::choose_name(std::string_view wanted) {
    if (!wanted.empty()) {
        if (!valid_name(wanted))
            return log_error(NA_INVALID_ARG, log_name,
                             "\"{}\" cannot name a net: at most {} printable characters, no '/'",
                             wanted, max_name_length);
        Result<FileDescriptor> holder = bind_name(wanted);
        if (!holder.ok())
            return log_error(holder.status().code(), log_name, "cannot listen as sm://{}: {}",
                             wanted,
                             holder.status().code() == NA_ADDRINUSE ? "the name is in use"
                                                                    : "the socket cannot be bound");
        name_holder_ = std::move(*holder);
        name_ = wanted;
        return NA_SUCCESS;
    }
    // Process ids repeat where several process namespaces share one network namespace.
    for (;;) {
        name_ =
            std::to_string(::getpid()).append("-").append(std::to_string(next_net.fetch_add(1)));
        Result<FileDescriptor> holder = bind_name(name_);
        if (holder.ok()) {
            name_holder_ = std::move(*holder);
            return NA_SUCCESS;
        }
        if (holder.status().code() != NA_ADDRINUSE)
            return log_error(holder.status().code(), log_name, "cannot bind sm://{}", name_);
    }
}

void Class::get_limits(na_limits& limits) const noexcept {
    limits.max_unexpected_size = options_.max_unexpected;
    limits.max_expected_size = options_.max_expected;
    limits.unexpected_header_size = 0;
    limits.expected_header_size = 0;
    limits.max_segments = max_segments;
    limits.max_tag = NA_TAG_MAX;
}

Address* Class::intern(std::string_view name) {
    return addresses_.intern(*this, name, name == name_);
}

Status Class::lookup(const char* text, Address*& found) {
    Result<std::string> name = parse_address(text);
    if (!name.ok()) return name.status();
    found = intern(*name);
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::self(Address*& found) {
    found = intern(name_);
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::to_string(const Address& address, char* buf, std::size_t& size) const {
    const std::string text = print_address(address.name());
    const std::size_t given = size;
    size = text.size() + 1;
    if (buf == nullptr) return NA_SUCCESS;
    if (given < size) return NA_OVERFLOW;
    std::memcpy(buf, text.c_str(), size);
    return NA_SUCCESS;
}

// Serialised: one byte of length, then the name.
std::size_t Class::serialize_size(const Address& address) const noexcept {
    return 1 + address.name().size();
}

Status Class::serialize(const Address& address, void* buf, std::size_t size) const noexcept {
    const std::string& name = address.name();
    if (size < 1 + name.size()) return NA_OVERFLOW;
    auto* out = static_cast<unsigned char*>(buf);
    out[0] = static_cast<unsigned char>(name.size());
    std::memcpy(out + 1, name.data(), name.size());
    return NA_SUCCESS;
}

Status Class::deserialize(const void* buf, std::size_t size, Address*& made) {
    const auto* in = static_cast<const unsigned char*>(buf);
    if (size < 1 || size - 1 < in[0]) return NA_OVERFLOW;
    const std::string_view name(reinterpret_cast<const char*>(in + 1), in[0]);
    if (!valid_name(name)) return NA_PROTOCOL_ERROR;
    made = intern(name);
    return made == nullptr ? NA_NOMEM : NA_SUCCESS;
}

std::size_t Class::add(Context& context) {
    MutexLock lock(contexts_mutex_);
    const auto same = std::count_if(contexts_.begin(), contexts_.end(),
                                    [&](const Context* c) { return c->id() == context.id(); });
    contexts_.push_back(&context);
    return static_cast<std::size_t>(same);
}

void Class::remove(Context& context) noexcept {
    MutexLock lock(contexts_mutex_);
    std::erase(contexts_, &context);
}

Status Class::hand_over(std::uint8_t context_id, FileDescriptor socket) {
    MutexLock lock(contexts_mutex_);
    for (Context* context : contexts_)
        if (context->id() == context_id) {
            context->give_socket(std::move(socket));
            return NA_SUCCESS;
        }
    return NA_ADDRNOTAVAIL;
}

Status Class::set_remove(Address& address) {
    MutexLock lock(contexts_mutex_);
    for (Context* context : contexts_)
        context->forget_peer(address);
    return NA_SUCCESS;
}

void* Class::mem_alloc(std::size_t size) {
    Allocation allocation;
    Result<Region> region = Region::create("cinnabar-memory", size, allocation.fd);
    if (!region.ok()) return nullptr;
    struct stat status {};
    if (::fstat(allocation.fd.get(), &status) != 0) return nullptr;
    allocation.region = std::move(*region);
    allocation.device = status.st_dev;
    allocation.inode = status.st_ino;
    void* data = allocation.region.data();
    MutexLock lock(allocations_mutex_);
    allocations_.emplace(reinterpret_cast<std::uintptr_t>(data), std::move(allocation));
    has_allocations_.store(true, std::memory_order_release);
    return data;
}

void Class::mem_free(void* buf, std::size_t) noexcept {
    MutexLock lock(allocations_mutex_);
    const auto found = allocations_.find(reinterpret_cast<std::uintptr_t>(buf));
    if (found == allocations_.end()) return;
    // A peer may keep it mapped for a while: the pages go now, whatever it does.
    Region& region = found->second.region;
    (void)::fallocate(found->second.fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                      static_cast<off_t>(region.size()));
    allocations_.erase(found);
}

Status Class::shared_places(const std::vector<Segment>& segments,
                            std::vector<SharedPlace>& places) {
    if (!has_allocations_.load(std::memory_order_acquire)) return NA_SUCCESS;
    MutexLock lock(allocations_mutex_);
    for (std::size_t i = 0; i < segments.size(); ++i) {
        auto next = allocations_.upper_bound(segments[i].base);
        if (next == allocations_.begin()) continue;
        const auto& [start, allocation] = *std::prev(next);
        const std::uint64_t offset = segments[i].base - start;
        const std::uint64_t size = allocation.region.size();
        if (offset >= size || segments[i].length > size - offset) continue;
        if (places.empty()) places.resize(segments.size());
        places[i] = {allocation.device, allocation.inode, size, offset, allocation.fd.get(), 0};
    }
    return NA_SUCCESS;
}

}  // namespace cinnabar::sm
