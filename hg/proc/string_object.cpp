// SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>
#include <cstring>

#include "hg/proc/string.hpp"
#include "na/base/log.hpp"

namespace cinnabar::hg {

hg_return_t proc_string_object(hg_proc& proc, hg_string_object_t& object) noexcept {
    if (proc.op == HG_FREE) {
        string_object_clear(object);
        return HG_SUCCESS;
    }
    const hg_return_t ret = proc_string(proc, object.data, object.is_const);
    // The sender's ownership says nothing about the receiver's copy.
    if (proc.op == HG_DECODE) object.is_owned = object.data != nullptr;
    return ret;
}

void string_object_clear(hg_string_object_t& object) noexcept {
    if (object.is_owned) std::free(object.data);
    object = hg_string_object_t{nullptr, false, false};
}

hg_return_t string_object_copy(const hg_string_object_t& object,
                               hg_string_object_t& copy) noexcept {
    char* bytes = nullptr;
    if (object.data != nullptr && (bytes = ::strdup(object.data)) == nullptr) {
        return static_cast<hg_return_t>(
            log_error(NA_NOMEM, "hg_proc", "no memory for a copy of a string").code());
    }
    copy = hg_string_object_t{bytes, object.is_const, bytes != nullptr};
    return HG_SUCCESS;
}

}  // namespace cinnabar::hg
