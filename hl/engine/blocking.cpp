// SPDX-License-Identifier: BSD-3-Clause
#include "hl/engine/blocking.hpp"

#include <mutex>

#include "hl/engine/call_coders.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

hg_handle_t KeptHandles::take(const Address& peer, hg_id_t id) noexcept {
    for (std::size_t i = count_; i-- > 0;) {
        if (all_[i].peer != &peer || all_[i].id != id) continue;
        const hg_handle_t handle = all_[i].handle;
        all_[i] = all_[--count_];
        return handle;
    }
    return HG_HANDLE_NULL;
}

hg_handle_t KeptHandles::keep(const Address& peer, hg_id_t id, hg_handle_t handle) noexcept {
    const Kept kept{&peer, id, handle};
    if (count_ == all_.size()) {
        next_out_ = (next_out_ + 1) % all_.size();
        return std::exchange(all_[next_out_], kept).handle;
    }
    all_[count_++] = kept;
    return HG_HANDLE_NULL;
}

std::size_t KeptHandles::take_all(const Address* peer,
                                  std::array<hg_handle_t, most>& handles) noexcept {
    std::size_t left = 0;
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        if (peer == nullptr || all_[i].peer == peer)
            handles[taken++] = all_[i].handle;
        else
            all_[left++] = all_[i];
    }
    count_ = left;
    return taken;
}

// One call. It lies on the stack of its unit, which goes on when the callback has let go of it.
class BlockingCall {
public:
    BlockingCall(const CallRequest& request, Unit& unit)
        : procedure_(*request.procedure),
          engine_(*request.procedure->engine),
          peer_(*request.peer.core()),
          unit_(unit),
          shard_(engine_.blocking_calls.shard_for(this)) {}
    BlockingCall(const BlockingCall&) = delete;
    BlockingCall& operator=(const BlockingCall&) = delete;

    std::optional<Error> make(const CallRequest& request, Readable& answer);
    // By the close, with the shard's lock held.
    void take_back() noexcept {
        taken_back_ = true;
        (void)HG_Cancel(handle_);
    }
    BlockingCall* next() const noexcept { return next_; }

private:
    hg_return_t forward(const CallRequest& request);
    void await();
    std::optional<Error> finish(Readable& answer);
    void list() noexcept;
    void let_go() noexcept;
    static hg_return_t on_forward(const hg_cb_info* info);

    const ProcedureCore& procedure_;
    EngineCore& engine_;
    Address& peer_;
    Unit& unit_;
    BlockingCalls::Shard& shard_;
    hg_handle_t handle_ = HG_HANDLE_NULL;
    hg_return_t ret_ = HG_SUCCESS;
    bool polling_ = false;  // the unit itself, which is in no list yet
    // Guarded by the shard's lock.
    BlockingCall* next_ = nullptr;
    BlockingCall* previous_ = nullptr;
    bool listed_ = false;
    bool said_all_ = false;  // the C API
    bool taken_back_ = false;
    CallWatch watch_;
};

std::optional<Error> BlockingCall::make(const CallRequest& request, Readable& answer) {
    if (!engine_.enter()) return closed_error();
    watch_.begin(procedure_, peer_);
    std::optional<Error> error;
    if (const hg_return_t ret = forward(request); ret == HG_SUCCESS) {
        await();
        error = finish(answer);
    } else {
        error = error_of(ret, "cannot call " + procedure_.name);
    }
    watch_.ended(procedure_, error ? &*error : nullptr);
    engine_.leave();
    return error;
}

hg_return_t BlockingCall::forward(const CallRequest& request) {
    {
        const std::lock_guard lock(shard_.lock);
        handle_ = shard_.handles.take(peer_, procedure_.id);
    }
    if (handle_ == HG_HANDLE_NULL) {
        const hg_return_t ret = HG_Create(engine_.context, peer_.addr, procedure_.id, &handle_);
        if (ret != HG_SUCCESS) return ret;
    }
    CallArguments arguments(request, watch_);
    const hg_return_t ret = HG_Forward(handle_, on_forward, this, static_cast<Coder*>(&arguments));
    if (ret != HG_SUCCESS) (void)HG_Destroy(handle_);
    return ret;
}

// From here on the close can find it.
void BlockingCall::list() noexcept {
    const std::lock_guard lock(shard_.lock);
    if (said_all_) return;
    listed_ = true;
    next_ = shard_.first;
    if (next_ != nullptr) next_->previous_ = this;
    shard_.first = this;
}

// The callback runs in the stream that makes progress: if this is it, it comes later, from what is
// polled here or when the unit has been suspended.
void BlockingCall::await() {
    StreamCore& stream = *StreamCore::current();
    if (!stream.polls(engine_)) {
        list();
        return StreamCore::suspend(unit_, Wait::call);
    }
    polling_ = true;
    stream.poll_within(unit_, said_all_);
    polling_ = false;
    if (said_all_) return;
    list();
    StreamCore::suspend_alone(unit_, Wait::call);
}

void BlockingCall::let_go() noexcept {
    const std::lock_guard lock(shard_.lock);
    said_all_ = true;
    if (!listed_) return;
    (previous_ != nullptr ? previous_->next_ : shard_.first) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
}

hg_return_t BlockingCall::on_forward(const hg_cb_info* info) {
    auto& call = *static_cast<BlockingCall*>(info->arg);
    call.ret_ = info->ret;
    if (info->ret == HG_SUCCESS) call.watch_.answered(call.procedure_);
    if (call.polling_) {
        call.said_all_ = true;
        return HG_SUCCESS;
    }
    call.let_go();
    call.unit_.wake();  // and the call is gone
    return HG_SUCCESS;
}

std::optional<Error> BlockingCall::finish(Readable& answer) {
    if (ret_ != HG_SUCCESS) {
        (void)HG_Destroy(handle_);
        if (taken_back_) return closing_error();
        return call_error(ret_, procedure_);
    }
    CallAnswer coder(answer);
    if (coder.take(handle_, procedure_, watch_)) {
        peer_.has_handles.store(true, std::memory_order_relaxed);
        const std::lock_guard lock(shard_.lock);
        handle_ = shard_.handles.keep(peer_, procedure_.id, handle_);
    }
    if (handle_ != HG_HANDLE_NULL) (void)HG_Destroy(handle_);
    return std::move(coder.error);
}

BlockingCalls::Shard& BlockingCalls::shard_for(const void* call) noexcept {
    if (shards_.front().lock.owned_here()) return shards_.front();
    return shards_[1 + reinterpret_cast<std::uintptr_t>(call) / 4096 % (shards_.size() - 1)];
}

void BlockingCalls::take_back_all() noexcept {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.lock);
        for (BlockingCall* call = shard.first; call != nullptr; call = call->next())
            call->take_back();
    }
}

void BlockingCalls::give_up_handles(const Address* peer) noexcept {
    for (Shard& shard : shards_) {
        std::array<hg_handle_t, KeptHandles::most> handles{};
        std::size_t count = 0;
        {
            const std::lock_guard lock(shard.lock);
            count = shard.handles.take_all(peer, handles);
        }
        for (std::size_t i = 0; i < count; ++i)
            (void)HG_Destroy(handles[i]);
    }
}

bool call_in_unit(const CallRequest& request, Readable& answer, std::optional<Error>& error) {
    Unit* const unit = StreamCore::current_unit();
    if (unit == nullptr || request.deadline || request.one_way) return false;
    const Address* const peer = request.peer.core().get();
    if (peer == nullptr || peer->self || peer->engine != request.procedure->engine) return false;
    error = BlockingCall(request, *unit).make(request, answer);
    return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
