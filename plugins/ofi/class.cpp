// SPDX-License-Identifier: BSD-3-Clause
#include "plugins/ofi/class.hpp"

#include <cstring>

#include "na/base/log.hpp"
#include "na/base/random.hpp"
#include "plugins/ofi/error_code.hpp"

namespace cinnabar::ofi {

namespace {

Status take_message_size(std::size_t wish, std::uint32_t& size) {
    if (wish > options::max_message_size)
        return log_error(NA_OVERFLOW, log_name, "messages of {} bytes are wanted, {} are the most",
                         wish, options::max_message_size);
    size = static_cast<std::uint32_t>(wish == 0 ? options::default_message_size : wish);
    return NA_SUCCESS;
}

}  // namespace

// Requests that no context looked at any more: the library would leave their sockets open. It takes
// two looks for each, one that accepts and one that reads.
Class::~Class() {
    Arrival arrival;
    std::uint8_t target = 0;
    for (int empty = 0, looks = 0; empty < 3 && looks < 256; ++looks) {
        if (!next_request(arrival, target)) {
            ++empty;
            continue;
        }
        refuse_request(arrival);
        empty = 0;
    }
}

Status Class::open(const na_plugin_open& info) {
    incarnation_ = random_u64();
    if (incarnation_ == 0)
        return log_error(NA_IO_ERROR, log_name, "the system has no random bytes");
    listening_ = info.listen;
    format_ = info.init->addr_format;
    blocking_ = (info.init->progress_mode & NA_NO_BLOCK) == 0;
    CINNABAR_TRY(take_message_size(info.init->max_unexpected_size, max_unexpected_));
    CINNABAR_TRY(take_message_size(info.init->max_expected_size, max_expected_));
    CINNABAR_TRY(fabric_.open(info));
    prefix_ = fmt::format("{}://", fabric_.provider().protocol);
    if (fabric_.connected_kind()) {
        CINNABAR_TRY(listen());
    } else {
        CINNABAR_TRY(first_.open(fabric_, blocking_, fabric_.source()));
        first_taken_ = false;
        memory_endpoint_ = first_.shared();
        raw_ = first_.name();
    }
    auto text = text_of(fabric_.provider(), raw_);
    if (!text.ok()) return text.status();
    // Who does not listen is not found by name, only answered.
    addresses_.open(
        this, listening_ ? prefix_ + *text : fmt::format("{}#{:016x}", prefix_, incarnation_));
    log_debug(log_name, "{} at {}", listening_ ? "listening" : "open", self_name());
    return NA_SUCCESS;
}

// Also for who does not listen by name: it may call itself.
Status Class::listen() {
    CINNABAR_TRY(open_event_queue(fabric_, blocking_, request_queue_));
    const Info info = fabric_.bound_to(fabric_.source());
    if (info == nullptr) return NA_NOMEM;
    const auto check = [&](int ret, const char* call) -> Status {
        if (ret == 0) return NA_SUCCESS;
        return log_error(code_of_fi(ret), log_name, "{}: {}: {}", fabric_.provider().protocol, call,
                         fi_strerror(-ret));
    };
    fid_pep* listener = nullptr;
    CINNABAR_TRY(
        check(fi_passive_ep(fabric_.fabric(), info.get(), &listener, nullptr), "fi_passive_ep"));
    listener_.reset(listener);
    CINNABAR_TRY(check(fi_pep_bind(listener, &request_queue_->fid, 0), "fi_pep_bind"));
    CINNABAR_TRY(check(fi_listen(listener), "fi_listen"));
    auto name = name_of(&listener->fid);
    if (!name.ok()) return name.status();
    raw_ = *name;
    return NA_SUCCESS;
}

void Class::get_limits(na_limits& limits) const noexcept {
    limits.max_unexpected_size = max_unexpected_;
    limits.max_expected_size = max_expected_;
    limits.unexpected_header_size = 0;
    limits.expected_header_size = 0;
    limits.max_segments = options::max_segments;
    limits.max_tag = NA_TAG_MAX;
}

std::string_view Class::strip_prefix(std::string_view text) const noexcept {
    const auto end = text.find("://");
    if (end == std::string_view::npos || find_provider(text.substr(0, end)) != &fabric_.provider())
        return {};
    return text.substr(end + 3);
}

Status Class::look_up(std::string_view text, bool resolve, Address*& found) {
    const std::string_view rest = strip_prefix(text);
    if (rest.data() == nullptr)
        return log_error(NA_PROTONOSUPPORT, log_name, "\"{}\" is not an address of {}",
                         text.substr(0, 100), fabric_.provider().protocol);
    if (rest.starts_with('#')) {
        const std::string name = prefix_ + std::string(rest);
        if (name == self_name()) return self(found);
        found = addresses_.find(name);
        if (found != nullptr) return NA_SUCCESS;
        return log_error(NA_ADDRNOTAVAIL, log_name,
                         "\"{}\" does not listen and is not connected here", name);
    }
    std::string canonical;
    auto raw = raw_of(fabric_.provider(), rest, format_, resolve, canonical);
    if (!raw.ok()) return raw.status();
    found = addresses_.intern(prefix_ + canonical, Raw(*raw));
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::lookup(const char* name, Address*& found) {
    return look_up(name, true, found);
}

Status Class::self(Address*& found) {
    found = addresses_.intern(self_name(), Raw(raw_));
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::intern_peer(const Greeting& greeting, Address*& found) {
    const std::string_view rest = strip_prefix(greeting.name);
    if (rest.starts_with('#') != !greeting.listening || rest.empty()) return NA_PROTOCOL_ERROR;
    if (greeting.listening) return look_up(greeting.name, false, found);
    if (greeting.name == self_name()) return self(found);
    found = addresses_.intern(greeting.name, Raw());
    return found == nullptr ? NA_NOMEM : NA_SUCCESS;
}

Status Class::set_remove(Address& address) {
    if (address.self) return NA_SUCCESS;
    addresses_.forget(address);
    MutexLock lock(mutex_);
    for (Context* context : contexts_)
        if (context != nullptr) context->forget(address);
    return NA_SUCCESS;
}

Status Class::to_string(const Address& address, char* buf, std::size_t& size) const {
    const std::size_t given = size;
    size = address.name.size() + 1;
    if (buf == nullptr) return NA_SUCCESS;
    if (given < size) return NA_OVERFLOW;
    std::memcpy(buf, address.name.c_str(), size);
    return NA_SUCCESS;
}

std::size_t Class::serialize_size(const Address& address) const noexcept {
    return address.name.size() + 1;
}

Status Class::serialize(const Address& address, void* buf, std::size_t size) const {
    return to_string(address, static_cast<char*>(buf), size);
}

Status Class::deserialize(const void* buf, std::size_t size, Address*& found) {
    const auto* text = static_cast<const char*>(buf);
    if (::strnlen(text, size) == size)
        return log_error(NA_PROTOCOL_ERROR, log_name, "a serialised address has no end");
    // It came from a peer: a name there would make us ask a name server, and wait for it.
    return look_up(text, false, found);
}

Status Class::open_endpoint(std::uint8_t id, Endpoint& endpoint) {
    if (fabric_.connected_kind()) return endpoint.open(fabric_, blocking_, {});
    if (id == 0 && !first_taken_) {
        endpoint = std::move(first_);
        first_taken_ = true;
        return NA_SUCCESS;
    }
    if (id == 0) {
        CINNABAR_TRY(endpoint.open(fabric_, blocking_, raw_));
        memory_endpoint_ = endpoint.shared();
        return NA_SUCCESS;
    }
    if (fabric_.demands(FI_MR_ENDPOINT))
        return log_error(NA_OPNOTSUPPORTED, log_name,
                         "{}: context {}: memory is registered for context 0 alone",
                         fabric_.provider().protocol, id);
    // Others ask context 0 for this one: any address will do.
    Raw source;
    na::sdk::IpAddress ip;
    std::uint16_t port = 0;
    if (fabric_.provider().form == AddressForm::ip && ip_of(raw_, ip, port))
        source = raw_of_ip(ip, 0);
    return endpoint.open(fabric_, blocking_, source);
}

bool Class::next_request(Arrival& arrival, std::uint8_t& target) {
    if (request_queue_ == nullptr || !request_mutex_.try_lock()) return false;
    struct Unlock {
        Mutex& mutex;
        ~Unlock() { mutex.unlock(); }
    } unlock{request_mutex_};
    struct alignas(fi_eq_cm_entry) {
        std::byte bytes[sizeof(fi_eq_cm_entry) + 256];
    } buffer;
    std::uint32_t event = 0;
    for (;;) {
        const ssize_t size = fi_eq_read(request_queue_.get(), &event, &buffer, sizeof buffer, 0);
        if (size == -FI_EAVAIL) {
            fi_eq_err_entry error{};
            (void)fi_eq_readerr(request_queue_.get(), &error, 0);
            log_debug(log_name, "{}: a connection did not come about: {}", self_name(),
                      fi_strerror(error.err));
            continue;
        }
        if (size < static_cast<ssize_t>(sizeof(fi_eq_cm_entry))) return false;
        auto* entry = reinterpret_cast<fi_eq_cm_entry*>(&buffer);
        arrival.request.reset(entry->info);
        if (event != FI_CONNREQ) continue;
        Request request;
        if (decode_request(
                {buffer.bytes + sizeof *entry, static_cast<std::size_t>(size) - sizeof *entry},
                request)) {
            arrival.token = request.token;
            target = request.target;
            return true;
        }
        log_warning(log_name, "{}: a connection request is not one of this transport", self_name());
        refuse_request(arrival);
    }
}

void Class::refuse_request(const Arrival& arrival) noexcept {
    if (arrival.request != nullptr)
        (void)fi_reject(listener_.get(), arrival.request->handle, nullptr, 0);
}

Status Class::add(Context& context) {
    MutexLock lock(mutex_);
    Context*& entry = contexts_[context.id()];
    if (entry != nullptr)
        return log_error(NA_EXIST, log_name, "context {} exists already", context.id());
    entry = &context;
    return NA_SUCCESS;
}

void Class::remove(Context& context) {
    if (context.id() == 0) memory_endpoint_ = nullptr;
    MutexLock lock(mutex_);
    contexts_[context.id()] = nullptr;
}

bool Class::hand_over(std::uint8_t id, Arrival& arrival) {
    MutexLock lock(mutex_);
    if (contexts_[id] == nullptr) return false;
    contexts_[id]->hand_over(std::move(arrival));
    return true;
}

}  // namespace cinnabar::ofi
