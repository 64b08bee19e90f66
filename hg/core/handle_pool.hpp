// SPDX-License-Identifier: BSD-3-Clause
// Where the handles of a context come from and return to. Getting one never waits. Message buffers
// are cut from slabs whose untouched pages cost nothing.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "hg/core/handle.hpp"
#include "na/base/free_list.hpp"
#include "na/base/local_atomic.hpp"
#include "na/base/mutex.hpp"

namespace cinnabar::hg {

class HandlePool {
public:
    explicit HandlePool(hg_context& context) noexcept : context_(context) {}
    ~HandlePool();
    HandlePool(const HandlePool&) = delete;
    HandlePool& operator=(const HandlePool&) = delete;

    // An origin handle, blank but for its buffers. HG_NOMEM, or what the user's create callback
    // gave.
    hg_return_t acquire(hg_handle** handle);
    void release(hg_handle& handle) noexcept;
    // A new target handle; the pool keeps it in targets().
    hg_return_t make_target(hg_handle** handle);
    // The target handles there are; they live as long as the pool.
    std::vector<hg_handle*> targets() const {
        MutexLock lock(mutex_);
        return targets_;
    }
    // A target handle for a call to oneself, idle.
    hg_return_t acquire_local(hg_handle** handle);
    void release_local(hg_handle& handle) noexcept { local_targets_.put(handle); }
    // A target handle without an input buffer, to receive into one that another has let go.
    hg_return_t acquire_shell(hg_handle** handle);
    void release_shell(hg_handle& handle) noexcept { shells_.put(handle); }
    // An output buffer for a target handle that has none yet.
    hg_return_t provide_output(hg_handle& handle) noexcept;
    // Origin handles that users hold.
    int in_use() const noexcept { return in_use_.load(std::memory_order_acquire); }

private:
    struct Slab {
        void* memory;
        void* plugin_data;
    };
    hg_return_t make(Role role, bool with_input, hg_handle** handle);
    hg_return_t make_buffer(std::size_t size, unsigned long flags, MessageBuffer* buffer);
    static void destroy(hg_class& cls, hg_handle* handle) noexcept;

    hg_context& context_;
    FreeList<hg_handle, &hg_handle::next_in_pool> free_;
    LocalAtomic<int> in_use_{0};
    FreeList<hg_handle, &hg_handle::next_in_pool> local_targets_;
    FreeList<hg_handle, &hg_handle::next_in_pool> shells_;
    mutable Mutex mutex_;
    std::vector<hg_handle*> all_;
    std::vector<hg_handle*> targets_;
    std::vector<Slab> slabs_;
    char* slab_next_ = nullptr;  // the part of the newest slab that is not cut yet
    std::size_t slab_left_ = 0;
    std::size_t slab_stride_ = 0;
};

}  // namespace cinnabar::hg
