// SPDX-License-Identifier: BSD-3-Clause
// The objects of the core level are those of hg under other names.
#pragma once

#include <cstddef>

#include "mercury.h"
#include "mercury_core.h"

namespace cinnabar::hg {

inline hg_class_t* of(const hg_core_class_t* cls) noexcept {
    return reinterpret_cast<hg_class_t*>(const_cast<hg_core_class_t*>(cls));
}
inline hg_context_t* of(const hg_core_context_t* context) noexcept {
    return reinterpret_cast<hg_context_t*>(const_cast<hg_core_context_t*>(context));
}
inline hg_addr_t of(hg_core_addr_t addr) noexcept {
    return reinterpret_cast<hg_addr_t>(addr);
}
inline hg_handle_t of(hg_core_handle_t handle) noexcept {
    return reinterpret_cast<hg_handle_t>(handle);
}
inline hg_core_class_t* core(hg_class_t* cls) noexcept {
    return reinterpret_cast<hg_core_class_t*>(cls);
}
inline hg_core_context_t* core(hg_context_t* context) noexcept {
    return reinterpret_cast<hg_core_context_t*>(context);
}
inline hg_core_addr_t core(hg_addr_t addr) noexcept {
    return reinterpret_cast<hg_core_addr_t>(addr);
}
inline hg_core_handle_t core(hg_handle_t handle) noexcept {
    return reinterpret_cast<hg_core_handle_t>(handle);
}

// HG_Core_get_info() shows hg's struct under the names of the core level.
static_assert(sizeof(hg_core_info) == sizeof(hg_info));
static_assert(offsetof(hg_core_info, context) == offsetof(hg_info, context));
static_assert(offsetof(hg_core_info, addr) == offsetof(hg_info, addr));
static_assert(offsetof(hg_core_info, id) == offsetof(hg_info, id));
static_assert(offsetof(hg_core_info, context_id) == offsetof(hg_info, context_id));

}  // namespace cinnabar::hg
