// SPDX-License-Identifier: BSD-3-Clause
// Turns a plugin's C++ classes into the C tables of na_plugin.h, and catches its exceptions: the
// only place where that happens. A plugin author writes a traits type
//
//   struct MyPlugin {
//       static constexpr const char* name = "my";          // libna_plugin_my.so
//       static constexpr const char* class_name = "na";
//       using Class = ...; using Context = ...; using Address = ...; using Op = ...; using Memory =
//       ...; static bool check_protocol(std::string_view protocol);
//   };
//
// and one line: CINNABAR_NA_PLUGIN(MyPlugin). Class, Op and Memory are default-constructed in
// libna's memory, Context is constructed from (Class&, uint8_t id); destructors run on close. The
// members called are those used below, with the contract of the slot of the same name; optional
// ones are tested with `requires`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "na/base/c_call.hpp"
#include "na/base/file_descriptor.hpp"
#include "na/sdk/host.hpp"

namespace cinnabar::na::sdk {

template <class P>
class Adapter {
    using Class = typename P::Class;
    using Context = typename P::Context;
    using Address = typename P::Address;
    using Op = typename P::Op;
    using Memory = typename P::Memory;

    static Class& cls_of(void* p) { return *static_cast<Class*>(p); }
    static Context& ctx_of(void* p) noexcept { return *static_cast<Context*>(p); }
    static Address& addr_of(void* p) { return *static_cast<Address*>(p); }
    static Op& op_of(void* p) { return *static_cast<Op*>(p); }
    static Memory& mem_of(void* p) { return *static_cast<Memory*>(p); }

    // --- class
    static bool check_protocol(const char* protocol) { return P::check_protocol(protocol); }
    static void list(void (*emit)(void*, const char*, const char*), void* arg) {
        if constexpr (requires { P::list(emit, arg); }) P::list(emit, arg);
    }
    static na_return_t open(void* cls, const na_plugin_open* info) {
        return c_call("open", [&] {
            Class* object = new (cls) Class();
            const Status status = object->open(*info);
            if (!status.ok()) object->~Class();
            return status;
        });
    }
    static void close(void* cls) { cls_of(cls).~Class(); }
    static void get_limits(void* cls, na_limits* limits) { cls_of(cls).get_limits(*limits); }
    static bool has_feature(void* cls, unsigned long flags) {
        if constexpr (requires(Class & c) { c.has_feature(flags); })
            return cls_of(cls).has_feature(flags);
        else
            return false;
    }
    static na_return_t context_open(void* cls, void* ctx, std::uint8_t id) {
        return c_call("context_open", [&] {
            Context* object = new (ctx) Context(cls_of(cls), id);
            const Status status = object->open();
            if (!status.ok()) object->~Context();
            return status;
        });
    }
    // Context::close() gives NA_BUSY while operations are posted; on success the object is
    // destroyed.
    static na_return_t context_close(void*, void* ctx) {
        return c_call("context_close", [&] {
            const Status status = ctx_of(ctx).close();
            if (status.ok()) ctx_of(ctx).~Context();
            return status;
        });
    }
    static na_return_t op_open(void*, void* op) {
        return c_call("op_open", [&] {
            new (op) Op();
            return Status();
        });
    }
    static void op_close(void*, void* op) { op_of(op).~Op(); }

    // --- address
    static na_return_t lookup(void* cls, const char* name, void** addr) {
        return c_call("lookup", [&] {
            Address* found = nullptr;
            const Status status = cls_of(cls).lookup(name, found);
            *addr = found;
            return status;
        });
    }
    static na_return_t self(void* cls, void** addr) {
        return c_call("self", [&] {
            Address* found = nullptr;
            const Status status = cls_of(cls).self(found);
            *addr = found;
            return status;
        });
    }
    static void destroy(void*, void* addr) { addr_of(addr).~Address(); }
    static na_return_t set_remove(void* cls, void* addr) {
        return c_call("set_remove", [&] { return cls_of(cls).set_remove(addr_of(addr)); });
    }
    static bool equal(void* cls, void* a, void* b) {
        return cls_of(cls).equal(addr_of(a), addr_of(b));
    }
    static bool is_self(void* cls, void* addr) { return cls_of(cls).is_self(addr_of(addr)); }
    static na_return_t to_string(void* cls, void* addr, char* buf, std::size_t* size) {
        return c_call("to_string",
                      [&] { return cls_of(cls).to_string(addr_of(addr), buf, *size); });
    }
    static std::size_t addr_serialize_size(void* cls, void* addr) {
        return cls_of(cls).serialize_size(addr_of(addr));
    }
    static na_return_t addr_serialize(void* cls, void* addr, void* buf, std::size_t size) {
        return c_call("addr_serialize",
                      [&] { return cls_of(cls).serialize(addr_of(addr), buf, size); });
    }
    static na_return_t addr_deserialize(void* cls, const void* buf, std::size_t size, void** addr) {
        return c_call("addr_deserialize", [&] {
            Address* made = nullptr;
            const Status status = cls_of(cls).deserialize(buf, size, made);
            *addr = made;
            return status;
        });
    }

    // --- messages
    static na_return_t send_unexpected(void* ctx, void* op, const na_send* send) {
        return c_call("send_unexpected",
                      [&] { return ctx_of(ctx).send_unexpected(op_of(op), *send); });
    }
    static na_return_t recv_unexpected(void* ctx, void* op, const na_recv* recv) {
        return c_call("recv_unexpected",
                      [&] { return ctx_of(ctx).recv_unexpected(op_of(op), *recv); });
    }
    static na_return_t send_expected(void* ctx, void* op, const na_send* send) {
        return c_call("send_expected", [&] { return ctx_of(ctx).send_expected(op_of(op), *send); });
    }
    static na_return_t recv_expected(void* ctx, void* op, const na_recv* recv) {
        return c_call("recv_expected", [&] { return ctx_of(ctx).recv_expected(op_of(op), *recv); });
    }
    static na_return_t multi_recv_unexpected(void* ctx, void* op, const na_recv* recv) {
        if constexpr (requires(Context & c, Op & o) { c.multi_recv_unexpected(o, *recv); })
            return c_call("multi_recv_unexpected",
                          [&] { return ctx_of(ctx).multi_recv_unexpected(op_of(op), *recv); });
        else
            return NA_OPNOTSUPPORTED;
    }

    // Optional; they cannot throw.
    static constexpr auto try_send() -> decltype(na_plugin_message_ops::try_send) {
        if constexpr (requires(Context & c, const na_send& send) { c.try_send(send, true); })
            return [](void* ctx, const na_send* send, bool expected) -> na_return_t {
                static_assert(noexcept(ctx_of(ctx).try_send(*send, expected)));
                return ctx_of(ctx).try_send(*send, expected);
            };
        else
            return nullptr;
    }

    // --- memory
    static void* mem_alloc(void* cls, std::size_t size) {
        if constexpr (requires(Class & c) { c.mem_alloc(size); })
            return c_object("mem_alloc", [&]() -> void* { return cls_of(cls).mem_alloc(size); });
        else
            return nullptr;
    }
    static void mem_free(void* cls, void* buf, std::size_t size) {
        if constexpr (requires(Class & c) { c.mem_free(buf, size); })
            cls_of(cls).mem_free(buf, size);
    }
    static na_return_t mem_create(void* cls, void* mem, const na_segment* segments,
                                  std::size_t count, unsigned long flags) {
        return c_call("mem_create", [&] {
            Memory* object = new (mem) Memory();
            const Status status = object->create(cls_of(cls), segments, count, flags);
            if (!status.ok()) object->~Memory();
            return status;
        });
    }
    static void mem_destroy(void*, void* mem) { mem_of(mem).~Memory(); }
    static na_return_t mem_register(void* cls, void* mem, na_mem_type type, std::uint64_t device) {
        return c_call("mem_register",
                      [&] { return mem_of(mem).register_memory(cls_of(cls), type, device); });
    }
    static na_return_t mem_deregister(void* cls, void* mem) {
        return c_call("mem_deregister", [&] { return mem_of(mem).deregister_memory(cls_of(cls)); });
    }
    static std::size_t mem_serialize_size(void* cls, void* mem) {
        return mem_of(mem).serialize_size(cls_of(cls));
    }
    static na_return_t mem_serialize(void* cls, void* mem, void* buf, std::size_t size) {
        return c_call("mem_serialize",
                      [&] { return mem_of(mem).serialize(cls_of(cls), buf, size); });
    }
    static na_return_t mem_deserialize(void* cls, void* mem, const void* buf, std::size_t size) {
        return c_call("mem_deserialize", [&] {
            Memory* object = new (mem) Memory();
            const Status status = object->deserialize(cls_of(cls), buf, size);
            if (!status.ok()) object->~Memory();
            return status;
        });
    }

    // --- RMA and progress
    static na_return_t put(void* ctx, void* op, const na_rma* rma) {
        return c_call("put", [&] { return ctx_of(ctx).put(op_of(op), *rma); });
    }
    static na_return_t get(void* ctx, void* op, const na_rma* rma) {
        return c_call("get", [&] { return ctx_of(ctx).get(op_of(op), *rma); });
    }
    static constexpr auto try_put() -> decltype(na_plugin_rma_ops::try_put) {
        if constexpr (requires(Context & c, const na_rma& rma) { c.try_put(rma); })
            return [](void* ctx, const na_rma* rma) -> na_return_t {
                static_assert(noexcept(ctx_of(ctx).try_put(*rma)));
                return ctx_of(ctx).try_put(*rma);
            };
        else
            return nullptr;
    }
    static constexpr auto try_get() -> decltype(na_plugin_rma_ops::try_get) {
        if constexpr (requires(Context & c, const na_rma& rma) { c.try_get(rma); })
            return [](void* ctx, const na_rma* rma) -> na_return_t {
                static_assert(noexcept(ctx_of(ctx).try_get(*rma)));
                return ctx_of(ctx).try_get(*rma);
            };
        else
            return nullptr;
    }
    static int get_fd(void* ctx) { return ctx_of(ctx).get_fd(); }
    static bool try_wait(void* ctx) { return ctx_of(ctx).try_wait(); }
    static na_return_t poll(void* ctx, unsigned int* count) {
        return c_call("poll", [&] { return ctx_of(ctx).poll(*count); });
    }
    static void wake(void* ctx) { ctx_of(ctx).wake(); }
    static na_return_t cancel(void* ctx, void* op) {
        return c_call("cancel", [&] { return ctx_of(ctx).cancel(op_of(op)); });
    }

    static constexpr na_plugin_class_ops class_ops{sizeof(na_plugin_class_ops),
                                                   check_protocol,
                                                   list,
                                                   open,
                                                   close,
                                                   get_limits,
                                                   has_feature,
                                                   context_open,
                                                   context_close,
                                                   op_open,
                                                   op_close};
    static constexpr na_plugin_address_ops address_ops{sizeof(na_plugin_address_ops),
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
    static constexpr na_plugin_message_ops message_ops{sizeof(na_plugin_message_ops),
                                                       nullptr,
                                                       nullptr,
                                                       nullptr,
                                                       nullptr,
                                                       send_unexpected,
                                                       recv_unexpected,
                                                       multi_recv_unexpected,
                                                       send_expected,
                                                       recv_expected,
                                                       try_send()};
    static constexpr bool has_alloc = requires(Class & c) { c.mem_alloc(std::size_t{}); };
    static constexpr na_plugin_memory_ops memory_ops{sizeof(na_plugin_memory_ops),
                                                     has_alloc ? mem_alloc : nullptr,
                                                     has_alloc ? mem_free : nullptr,
                                                     mem_create,
                                                     mem_destroy,
                                                     mem_register,
                                                     mem_deregister,
                                                     mem_serialize_size,
                                                     mem_serialize,
                                                     mem_deserialize};
    static constexpr na_plugin_rma_ops rma_ops{sizeof(na_plugin_rma_ops), put, get, try_put(),
                                               try_get()};
    static constexpr na_plugin_progress_ops progress_ops{
        sizeof(na_plugin_progress_ops), get_fd, try_wait, poll, wake, cancel};

public:
    static_assert(alignof(Class) <= 64 && alignof(Context) <= 64 && alignof(Address) <= 64 &&
                  alignof(Op) <= 64 && alignof(Memory) <= 64);

    static constexpr na_plugin table{
        sizeof(na_plugin),      NA_PLUGIN_ABI_VERSION, P::name,     P::class_name,  sizeof(Class),
        sizeof(Context),        sizeof(Address),       sizeof(Op),  sizeof(Memory), &class_ops,
        &address_ops,           &message_ops,          &memory_ops, &rma_ops,       &progress_ops,
        close_owned_descriptors};
};

}  // namespace cinnabar::na::sdk

// Defines the entry function of a plugin.
#define CINNABAR_NA_PLUGIN(traits)                                               \
    extern "C" NA_PUBLIC const na_plugin* na_plugin_entry(const na_host* host) { \
        ::cinnabar::na::sdk::host_table = host;                                  \
        return &::cinnabar::na::sdk::Adapter<traits>::table;                     \
    }
