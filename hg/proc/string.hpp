// SPDX-License-Identifier: BSD-3-Clause
// Strings as arguments, and the string object that remembers who owns its bytes. Behind the
// functions of mercury_proc_string.h and mercury_string_object.h. Decoded strings come from
// malloc() and belong to whoever asked for the decoding. One thread at a time for each object.
#pragma once

#include "mercury_proc_string.h"

namespace cinnabar::hg {

// Encodes `*string`, decodes into it or frees it. Only the flag `is_const` distinguishes the kinds
// of string; it travels along, and decoding replaces it. HG_OVERFLOW when the buffer ends early,
// HG_PROTOCOL_ERROR when the bytes are no string, HG_NOMEM; on an error `*string` is null.
hg_return_t proc_string(hg_proc& proc, char*& string, bool& is_const) noexcept;

// The same for an object; what was decoded owns its bytes.
hg_return_t proc_string_object(hg_proc& proc, hg_string_object_t& object) noexcept;

// Frees the bytes if they are owned; the object is empty afterwards.
void string_object_clear(hg_string_object_t& object) noexcept;

// Fills `copy` with an owned copy of the bytes. HG_NOMEM.
hg_return_t string_object_copy(const hg_string_object_t& object, hg_string_object_t& copy) noexcept;

}  // namespace cinnabar::hg
