// SPDX-License-Identifier: BSD-3-Clause
// The wrapper as libna sees it: one plugin for each wrapped one, which is loaded as libna would
// load it but lent functions of ours; nets, addresses, buffers and memory.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "tests/fault/wrapper.hpp"
#include "tests/support/memory_plugin.hpp"

namespace cinnabar::fault {

const na_host* host = nullptr;

State& state() {
    static State instance;
    return instance;
}

na_return_t State::call(Slot slot) {
    const std::lock_guard lock(mutex);
    if (calm) return NA_SUCCESS;
    const unsigned number = ++report.calls[static_cast<std::size_t>(slot)];
    if (slot != plan.slot || !plan.hits(number)) return NA_SUCCESS;
    ++report.faults;
    return plan.code;
}

bool State::chance(unsigned of_thousand) {
    if (of_thousand == 0 || calm || random() % 1000 >= of_thousand) return false;
    ++report.faults;
    return true;
}

void begin(const Plan& plan) {
    State& s = state();
    const std::lock_guard lock(s.mutex);
    s.plan = plan;
    s.report = {};
    s.random.seed(plan.seed);
    s.calm = s.gone = false;
}

void calm() {
    const std::lock_guard lock(state().mutex);
    state().calm = true;
}

Report report() {
    const std::lock_guard lock(state().mutex);
    return state().report;
}

namespace {

constexpr std::size_t prefix_size = 6;  // "fault_"

// Counts what is opened and closed.
void count(long Report::*what, long change) {
    const std::lock_guard lock(state().mutex);
    state().report.*what += change;
}

na_return_t counted(na_return_t ret, long Report::*what) {
    if (ret == NA_SUCCESS) count(what, 1);
    return ret;
}

const na_plugin& plugin_of(void* cls) {
    return *static_cast<ClassPart*>(cls)->plugin;
}

#define FAULT_CALL(slot) \
    if (const na_return_t fault_ = state().call(Slot::slot); fault_ != NA_SUCCESS) return fault_

// --- what the wrapped plugin is lent

void* addr_create(void* cls) {
    void* addr = host->addr_create(outer(cls));
    if (addr != nullptr) count(&Report::addresses, 1);
    return inner(addr);
}
void addr_ref(void* addr) {
    host->addr_ref(outer(addr));
}
void addr_unref(void* addr) {
    host->addr_unref(outer(addr));
}
bool addr_try_ref(void* addr) {
    return host->addr_try_ref(outer(addr));
}
bool log_enabled(int level, const char* subsystem) {
    return host->log_enabled(level, subsystem);
}
void log_write(int level, const char* subsystem, const char* text) {
    host->log_write(level, subsystem, text);
}

// --- class

void close(void* cls) {
    plugin_of(cls).class_ops->close(inner(cls));
    count(&Report::classes, -1);
}
void get_limits(void* cls, na_limits* limits) {
    plugin_of(cls).class_ops->get_limits(inner(cls), limits);
}
na_return_t op_open(void* cls, void* op) {
    FAULT_CALL(op_open);
    return counted(plugin_of(cls).class_ops->op_open(inner(cls), inner(op)), &Report::ops);
}
void op_close(void* cls, void* op) {
    plugin_of(cls).class_ops->op_close(inner(cls), inner(op));
    count(&Report::ops, -1);
}

// --- address

na_return_t lookup(void* cls, const char* name, void** addr) {
    FAULT_CALL(lookup);
    if (std::strlen(name) < prefix_size) return NA_PROTONOSUPPORT;
    void* found = nullptr;
    const na_return_t ret = plugin_of(cls).address->lookup(inner(cls), name + prefix_size, &found);
    *addr = outer(found);
    return ret;
}
na_return_t self(void* cls, void** addr) {
    FAULT_CALL(self);
    void* found = nullptr;
    const na_return_t ret = plugin_of(cls).address->self(inner(cls), &found);
    *addr = outer(found);
    return ret;
}
void destroy(void* cls, void* addr) {
    plugin_of(cls).address->destroy(inner(cls), inner(addr));
    count(&Report::addresses, -1);
}
na_return_t set_remove(void* cls, void* addr) {
    return plugin_of(cls).address->set_remove(inner(cls), inner(addr));
}
bool equal(void* cls, void* a, void* b) {
    return plugin_of(cls).address->equal(inner(cls), inner(a), inner(b));
}
bool is_self(void* cls, void* addr) {
    return plugin_of(cls).address->is_self(inner(cls), inner(addr));
}
na_return_t to_string(void* cls, void* addr, char* buf, std::size_t* size) {
    FAULT_CALL(to_string);
    std::size_t left = buf == nullptr || *size < prefix_size ? 0 : *size - prefix_size;
    const bool fits = buf != nullptr && left > 0;
    const na_return_t ret = plugin_of(cls).address->to_string(
        inner(cls), inner(addr), fits ? buf + prefix_size : nullptr, &left);
    *size = left + prefix_size;
    if (ret != NA_SUCCESS || buf == nullptr) return ret;
    if (!fits) return NA_OVERFLOW;
    std::memcpy(buf, "fault_", prefix_size);
    return NA_SUCCESS;
}
std::size_t addr_serialize_size(void* cls, void* addr) {
    return plugin_of(cls).address->serialize_size(inner(cls), inner(addr));
}
na_return_t addr_serialize(void* cls, void* addr, void* buf, std::size_t size) {
    FAULT_CALL(addr_serialize);
    return plugin_of(cls).address->serialize(inner(cls), inner(addr), buf, size);
}
na_return_t addr_deserialize(void* cls, const void* buf, std::size_t size, void** addr) {
    FAULT_CALL(addr_deserialize);
    void* made = nullptr;
    const na_return_t ret = plugin_of(cls).address->deserialize(inner(cls), buf, size, &made);
    *addr = outer(made);
    return ret;
}

// --- messages; defaults where the wrapped plugin has none

void* buf_alloc(void* cls, std::size_t size, unsigned long flags, void** data) {
    if (state().call(Slot::buf_alloc) != NA_SUCCESS) return nullptr;
    const na_plugin_message_ops& ops = *plugin_of(cls).message;
    *data = nullptr;
    void* buf = ops.buf_alloc != nullptr ? ops.buf_alloc(inner(cls), size, flags, data)
                                         : std::aligned_alloc(64, (size + 63) / 64 * 64);
    if (buf != nullptr) count(&Report::buffers, 1);
    return buf;
}
void buf_free(void* cls, void* buf, void* data) {
    const na_plugin_message_ops& ops = *plugin_of(cls).message;
    ops.buf_free != nullptr ? ops.buf_free(inner(cls), buf, data) : std::free(buf);
    count(&Report::buffers, -1);
}
na_return_t init_unexpected(void* cls, void* buf, std::size_t size) {
    FAULT_CALL(init_unexpected);
    const na_plugin_message_ops& ops = *plugin_of(cls).message;
    return ops.init_unexpected == nullptr ? NA_SUCCESS : ops.init_unexpected(inner(cls), buf, size);
}
na_return_t init_expected(void* cls, void* buf, std::size_t size) {
    FAULT_CALL(init_expected);
    const na_plugin_message_ops& ops = *plugin_of(cls).message;
    return ops.init_expected == nullptr ? NA_SUCCESS : ops.init_expected(inner(cls), buf, size);
}

// --- memory

void* mem_alloc(void* cls, std::size_t size) {
    if (state().call(Slot::mem_alloc) != NA_SUCCESS) return nullptr;
    const na_plugin_memory_ops& ops = *plugin_of(cls).memory;
    if (ops.alloc != nullptr) return ops.alloc(inner(cls), size);
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}
void mem_free(void* cls, void* buf, std::size_t size) {
    const na_plugin_memory_ops& ops = *plugin_of(cls).memory;
    ops.free != nullptr ? ops.free(inner(cls), buf, size) : (void)::munmap(buf, size);
}
na_return_t mem_create(void* cls, void* mem, const na_segment* segments, std::size_t size,
                       unsigned long flags) {
    FAULT_CALL(mem_create);
    return counted(plugin_of(cls).memory->create(inner(cls), inner(mem), segments, size, flags),
                   &Report::memories);
}
void mem_destroy(void* cls, void* mem) {
    plugin_of(cls).memory->destroy(inner(cls), inner(mem));
    count(&Report::memories, -1);
}
na_return_t mem_register(void* cls, void* mem, na_mem_type type, std::uint64_t device) {
    FAULT_CALL(mem_register);
    return plugin_of(cls).memory->register_(inner(cls), inner(mem), type, device);
}
na_return_t mem_deregister(void* cls, void* mem) {
    FAULT_CALL(mem_deregister);
    return plugin_of(cls).memory->deregister(inner(cls), inner(mem));
}
std::size_t mem_serialize_size(void* cls, void* mem) {
    return plugin_of(cls).memory->serialize_size(inner(cls), inner(mem));
}
na_return_t mem_serialize(void* cls, void* mem, void* buf, std::size_t size) {
    FAULT_CALL(mem_serialize);
    return plugin_of(cls).memory->serialize(inner(cls), inner(mem), buf, size);
}
na_return_t mem_deserialize(void* cls, void* mem, const void* buf, std::size_t size) {
    FAULT_CALL(mem_deserialize);
    return counted(plugin_of(cls).memory->deserialize(inner(cls), inner(mem), buf, size),
                   &Report::memories);
}

constexpr na_plugin_address_ops address_ops{sizeof(na_plugin_address_ops),
                                            lookup,
                                            self,
                                            destroy,
                                            set_remove,
                                            equal,
                                            is_self,
                                            to_string,
                                            addr_serialize_size,
                                            addr_serialize,
                                            addr_deserialize};
constexpr na_plugin_message_ops message_ops{sizeof(na_plugin_message_ops),
                                            buf_alloc,
                                            buf_free,
                                            init_unexpected,
                                            init_expected,
                                            send_unexpected,
                                            recv_unexpected,
                                            nullptr,
                                            send_expected,
                                            recv_expected,
                                            try_send};
constexpr na_plugin_memory_ops memory_ops{sizeof(na_plugin_memory_ops),
                                          mem_alloc,
                                          mem_free,
                                          mem_create,
                                          mem_destroy,
                                          mem_register,
                                          mem_deregister,
                                          mem_serialize_size,
                                          mem_serialize,
                                          mem_deserialize};
constexpr na_plugin_rma_ops rma_ops{sizeof(na_plugin_rma_ops), put, get, try_put, try_get};
constexpr na_plugin_progress_ops progress_ops{
    sizeof(na_plugin_progress_ops), get_fd, try_wait, poll, wake, cancel};

// --- one plugin for each transport

na_plugin_entry_t entry_in(const char* name) {
    const std::string path = std::string(CINNABAR_PLUGIN_FOLDER "/libna_plugin_") + name + ".so";
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    return reinterpret_cast<na_plugin_entry_t>(::dlsym(library, "na_plugin_entry"));
}

struct Mem {
    static constexpr const char* protocol = "fault_mem";
    static na_plugin_entry_t entry() { return test::memory_plugin_entry(); }
};
struct Sm {
    static constexpr const char* protocol = "fault_sm";
    static na_plugin_entry_t entry() { return entry_in("sm"); }
};
struct Tcp {
    static constexpr const char* protocol = "fault_tcp";
    static na_plugin_entry_t entry() { return entry_in("tcp"); }
};

template <class Wrapped>
struct Wrapper {
    static inline const na_plugin* plugin = nullptr;

    static bool check_protocol(const char* protocol) {
        return std::strcmp(protocol, Wrapped::protocol) == 0;
    }
    static na_return_t open(void* cls, const na_plugin_open* info) {
        FAULT_CALL(class_open);
        na_plugin_open passed = *info;
        passed.protocol += prefix_size;
        static_cast<ClassPart*>(cls)->plugin = plugin;
        return counted(plugin->class_ops->open(inner(cls), &passed), &Report::classes);
    }
    static constexpr na_plugin_class_ops class_ops{sizeof(na_plugin_class_ops),
                                                   check_protocol,
                                                   nullptr,
                                                   open,
                                                   close,
                                                   get_limits,
                                                   nullptr,
                                                   context_open,
                                                   context_close,
                                                   op_open,
                                                   op_close};

    static const na_plugin* entry(const na_host* lent) {
        host = lent;
        plugin = Wrapped::entry()(&wrapped_host);
        static const na_plugin table{sizeof(na_plugin),
                                     NA_PLUGIN_ABI_VERSION,
                                     Wrapped::protocol,
                                     "na",
                                     room + plugin->class_size,
                                     room + plugin->context_size,
                                     room + plugin->addr_size,
                                     room + plugin->op_size,
                                     room + plugin->mem_size,
                                     &class_ops,
                                     &address_ops,
                                     &message_ops,
                                     &memory_ops,
                                     &rma_ops,
                                     &progress_ops,
                                     plugin->forked};
        return &table;
    }
    static const char* make_known() {
        if (NA_Plugin_register(entry) != NA_SUCCESS) throw std::runtime_error(Wrapped::protocol);
        return Wrapped::protocol;
    }
};

}  // namespace

const na_host wrapped_host{sizeof(na_host), complete,    addr_create, addr_ref,
                           addr_unref,      log_enabled, log_write,   addr_try_ref};

std::vector<const char*> protocols() {
    static const std::vector<const char*> known{
        Wrapper<Mem>::make_known(), Wrapper<Sm>::make_known(), Wrapper<Tcp>::make_known()};
    return known;
}

}  // namespace cinnabar::fault
