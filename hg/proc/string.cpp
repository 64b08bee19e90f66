// SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>
#include <cstring>

#include "hg/proc/string.hpp"
#include "na/base/log.hpp"

namespace cinnabar::hg {
namespace {

hg_return_t fail(na_return_t code) noexcept {
    return static_cast<hg_return_t>(code);
}

hg_return_t encode(hg_proc& proc, char* string, bool is_const) noexcept {
    std::uint64_t length = string != nullptr ? std::strlen(string) + 1 : 0;
    std::uint8_t flags[2] = {is_const, 0};
    hg_return_t ret = hg_proc_uint64_t(&proc, &length);
    if (ret == HG_SUCCESS) ret = hg_proc_bytes(&proc, string, length);
    if (ret == HG_SUCCESS) ret = hg_proc_bytes(&proc, flags, sizeof flags);
    return ret;
}

// Copies the string of `length` bytes, NUL included, that lies at the position of the proc.
hg_return_t copy_from(hg_proc& proc, std::uint64_t length, char*& string) noexcept {
    const char* bytes = static_cast<const char*>(proc.current_buf->buf_ptr);
    if (std::memchr(bytes, '\0', length) != bytes + length - 1)
        return fail(log_error(NA_PROTOCOL_ERROR, "hg_proc",
                              "a string of {} bytes does not end with its only NUL", length)
                        .code());
    string = static_cast<char*>(std::malloc(length));
    if (string == nullptr)
        return fail(
            log_error(NA_NOMEM, "hg_proc", "no memory for a string of {} bytes", length).code());
    return hg_proc_bytes(&proc, string, length);
}

hg_return_t decode(hg_proc& proc, char*& string, bool& is_const) noexcept {
    string = nullptr;
    std::uint64_t length = 0;
    hg_return_t ret = hg_proc_uint64_t(&proc, &length);
    if (ret != HG_SUCCESS) return ret;

    std::uint8_t flags[2] = {};
    const hg_size_t left = proc.current_buf->size_left;
    if (left < sizeof flags || length > left - sizeof flags)
        return fail(log_error(NA_OVERFLOW, "hg_proc",
                              "a string of {} bytes in the last {} bytes of a buffer", length, left)
                        .code());
    if (length > 0) ret = copy_from(proc, length, string);
    if (ret == HG_SUCCESS) ret = hg_proc_bytes(&proc, flags, sizeof flags);
    is_const = flags[0] != 0;
    return ret;
}

}  // namespace

hg_return_t proc_string(hg_proc& proc, char*& string, bool& is_const) noexcept {
    switch (proc.op) {
        case HG_ENCODE:
            return encode(proc, string, is_const);
        case HG_DECODE:
            return decode(proc, string, is_const);
        case HG_FREE:
            std::free(string);
            string = nullptr;
            return HG_SUCCESS;
    }
    return HG_INVALID_ARG;
}

}  // namespace cinnabar::hg
