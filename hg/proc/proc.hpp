// SPDX-License-Identifier: BSD-3-Clause
// The proc: a walk over a buffer that encodes, decodes or frees. Its layout is public
// (mercury_proc.h) so that basic types cost a copy and a compare; here is what is not on that path.
// Handles embed procs with proc_init and proc_release, stand-alone procs are allocated by the C
// border. One thread at a time; an initialised proc points into itself and must not be moved.
#pragma once

#include "mercury_proc.h"

namespace cinnabar::hg {

// Readies `proc` for proc_reset. Allocates only when a hash is asked for, and only then can fail,
// with HG_NOMEM; a failed proc needs no release. HG_INVALID_ARG for an unknown hash.
hg_return_t proc_init(hg_proc& proc, hg_class_t* hg_class, hg_proc_hash_t hash) noexcept;

// Frees the extra buffer, if the proc owns one, and the checksum. Harmless when repeated.
void proc_release(hg_proc& proc) noexcept;

// What a walk before this one may have left: an extra buffer, a digest.
void proc_clear(hg_proc& proc) noexcept;

// Starts anew on `buffer`, which is borrowed. Allocates nothing.
inline void proc_reset(hg_proc& proc, void* buffer, hg_size_t size, hg_proc_op_t op) noexcept {
    if (proc.extra_buf.buf != nullptr || proc.checksum != nullptr) proc_clear(proc);
    proc.proc_buf.buf = buffer;
    proc.proc_buf.buf_ptr = buffer;
    proc.proc_buf.size = buffer != nullptr ? size : 0;
    proc.proc_buf.size_left = proc.proc_buf.size;
    proc.current_buf = &proc.proc_buf;
    proc.op = op;
    proc.flags = 0;
}

// Makes the buffer in use at least `size` bytes large. An encoding that outgrows its first buffer
// continues in the extra buffer, which then holds everything from the first byte on; further growth
// at least doubles it. HG_OVERFLOW when decoding, HG_NOMEM when memory ran out.
hg_return_t proc_set_size(hg_proc& proc, hg_size_t size) noexcept;

// Makes sure of `size` bytes more, as proc_set_size.
hg_return_t proc_make_room(hg_proc& proc, hg_size_t size) noexcept;

// Steps over `size` bytes and returns where they start; null when they do not fit or when freeing.
void* proc_save(hg_proc& proc, hg_size_t size) noexcept;

// Owner of the extra buffer from now on: the proc, or the caller, who frees it with free().
// HG_INVALID_ARG when there is no extra buffer.
hg_return_t proc_give_extra(hg_proc& proc, bool to_caller) noexcept;

// Computes the digest of the bytes between the start of the buffer in use and the position in it.
void proc_flush(hg_proc& proc) noexcept;

// Takes bytes from elsewhere into the digest that proc_flush will compute.
void proc_digest_also(hg_proc& proc, const void* data, hg_size_t size) noexcept;

// Copies the digest of the last flush, or compares with it; HG_INVALID_ARG for another size than
// its own, HG_CHECKSUM_ERROR when it differs.
hg_return_t proc_digest_get(const hg_proc& proc, void* digest, hg_size_t size) noexcept;
hg_return_t proc_digest_verify(const hg_proc& proc, const void* digest, hg_size_t size) noexcept;

}  // namespace cinnabar::hg
