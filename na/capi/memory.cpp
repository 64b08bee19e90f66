// SPDX-License-Identifier: BSD-3-Clause
// Memory handles: describing, registering, serialising.
#include "na/base/c_call.hpp"
#include "na/core/class.hpp"

using namespace cinnabar;
using namespace cinnabar::na;

namespace {

bool belongs(const na_class* cls, const na_mem_handle* mem) {
    return cls != nullptr && mem != nullptr && mem->cls == cls;
}

bool lengths_wrap(const na_segment* segments, std::size_t count) {
    std::size_t total = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto base = reinterpret_cast<std::uintptr_t>(segments[i].base);
        if (__builtin_add_overflow(total, segments[i].len, &total)) return true;
        if (std::uintptr_t end = 0; __builtin_add_overflow(base, segments[i].len, &end))
            return true;
    }
    return false;
}

}  // namespace

na_return_t NA_Mem_handle_create(na_class_t* na_class, void* buf, size_t buf_size,
                                 unsigned long flags, na_mem_handle_t** mem_handle_p) {
    struct na_segment segment = {buf, buf_size};
    return NA_Mem_handle_create_segments(na_class, &segment, 1, flags, mem_handle_p);
}

na_return_t NA_Mem_handle_create_segments(na_class_t* na_class, struct na_segment* segments,
                                          size_t segment_count, unsigned long flags,
                                          na_mem_handle_t** mem_handle_p) {
    if (na_class == nullptr || segments == nullptr || segment_count == 0 ||
        mem_handle_p == nullptr || (flags & NA_MEM_READWRITE) == 0)
        return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    if (segment_count > na_class->limits.max_segments) return NA_OPNOTSUPPORTED;
    if (lengths_wrap(segments, segment_count)) return NA_INVALID_ARG;
    auto* mem = new_object<na_mem_handle>(na_class->plugin->table->mem_size, na_class, flags);
    if (mem == nullptr) return NA_NOMEM;
    const na_return_t ret =
        na_class->plugin->memory.create(part(na_class), part(mem), segments, segment_count, flags);
    if (ret != NA_SUCCESS) {
        delete_object(mem);
        return ret;
    }
    *mem_handle_p = mem;
    return NA_SUCCESS;
}

void NA_Mem_handle_free(na_class_t* na_class, na_mem_handle_t* mem_handle) {
    if (!belongs(na_class, mem_handle)) return;
    if (!forked(na_class)) na_class->plugin->memory.destroy(part(na_class), part(mem_handle));
    delete_object(mem_handle);
}

size_t NA_Mem_handle_get_max_segments(const na_class_t* na_class) {
    return na_class == nullptr ? 0 : na_class->limits.max_segments;
}

na_return_t NA_Mem_register(na_class_t* na_class, na_mem_handle_t* mem_handle,
                            enum na_mem_type mem_type, uint64_t device) {
    if (!belongs(na_class, mem_handle)) return NA_INVALID_ARG;
    if (forked(na_class)) return NA_FAULT;
    return na_class->plugin->memory.register_(part(na_class), part(mem_handle), mem_type, device);
}

na_return_t NA_Mem_deregister(na_class_t* na_class, na_mem_handle_t* mem_handle) {
    if (!belongs(na_class, mem_handle)) return NA_INVALID_ARG;
    if (forked(na_class)) return NA_SUCCESS;
    return na_class->plugin->memory.deregister(part(na_class), part(mem_handle));
}

size_t NA_Mem_handle_get_serialize_size(na_class_t* na_class, na_mem_handle_t* mem_handle) {
    if (!belongs(na_class, mem_handle)) return 0;
    return na_class->plugin->memory.serialize_size(part(na_class), part(mem_handle));
}

na_return_t NA_Mem_handle_serialize(na_class_t* na_class, void* buf, size_t buf_size,
                                    na_mem_handle_t* mem_handle) {
    if (!belongs(na_class, mem_handle) || buf == nullptr || buf_size == 0) return NA_INVALID_ARG;
    return na_class->plugin->memory.serialize(part(na_class), part(mem_handle), buf, buf_size);
}

na_return_t NA_Mem_handle_deserialize(na_class_t* na_class, na_mem_handle_t** mem_handle_p,
                                      const void* buf, size_t buf_size) {
    if (na_class == nullptr || mem_handle_p == nullptr || buf == nullptr || buf_size == 0)
        return NA_INVALID_ARG;
    auto* mem = new_object<na_mem_handle>(na_class->plugin->table->mem_size, na_class, 0UL);
    if (mem == nullptr) return NA_NOMEM;
    const na_return_t ret =
        na_class->plugin->memory.deserialize(part(na_class), part(mem), buf, buf_size);
    if (ret != NA_SUCCESS) {
        delete_object(mem);
        return ret;
    }
    *mem_handle_p = mem;
    return NA_SUCCESS;
}

void* NA_Mem_alloc(na_class_t* na_class, size_t size) {
    if (na_class == nullptr || size == 0 || forked(na_class)) return nullptr;
    return na_class->plugin->memory.alloc(part(na_class), size);
}

void NA_Mem_free(na_class_t* na_class, void* buf, size_t size) {
    if (na_class == nullptr || buf == nullptr || forked(na_class)) return;
    na_class->plugin->memory.free(part(na_class), buf, size);
}
