// SPDX-License-Identifier: BSD-3-Clause
// Addresses of peers. Counted objects on the heap, owned by users, handles and bulks; and, inside
// each target handle, an embedded one for the sender of its request, which duplicates into a heap
// object.
#pragma once

#include <atomic>

#include "hg/core/class.hpp"
#include "na/base/local_atomic.hpp"

struct hg_addr {
    hg_class* cls = nullptr;
    na_addr_t* na = nullptr;
    bool self = false;
    bool embedded = false;  // lives in a handle; not counted
    cinnabar::LocalAtomic<int> references{1};
};

namespace cinnabar::hg {

// Takes over the reference of `na`; throws bad_alloc (then `na` is freed).
hg_addr* new_address(hg_class& cls, na_addr_t* na, bool self);
// One more reference: the same object, or a heap copy of an embedded one. nullptr: out of memory.
hg_addr* dup_address(hg_addr* addr) noexcept;
void release_address(hg_addr* addr) noexcept;

hg_return_t lookup_address(hg_class& cls, const char* name, hg_addr** addr);
hg_return_t self_address(hg_class& cls, hg_addr** addr);

}  // namespace cinnabar::hg
