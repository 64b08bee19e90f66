// SPDX-License-Identifier: BSD-3-Clause
// Calls, at the origin. Response, deadline and cancel race to claim the outcome; the first one
// decides it. A response is only noted when it comes: whoever waits decodes it. The handle lives on
// until the C API has said its last word, and the engine waits for that.
#include "cinnabar/call.hpp"

#include <new>
#include <thread>

#include "hl/engine/call_coders.hpp"
#include "hl/ult/recycle.hpp"
#include "hl/ult/runtime.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class CallCore final : public Listed, private Alarm, private LocalCall {
public:
    static CallCore* make(const CallRequest& request);
    void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept {
        // The last one has nobody beside it who could take another.
        if (references_.load(std::memory_order_acquire) == 1 ||
            references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            destroy();
    }

    void start(const CallRequest& request);
    // Ends it unless it has ended, and asks the C API to hurry.
    void abandon(Error error);
    // Reads an answer that has come and gives the handle back; once, whoever comes first.
    void collect();
    bool read_answer();
    const Error* error() const noexcept { return error_ ? &*error_ : nullptr; }
    Event& ended() noexcept { return ended_; }
    Readable& answer() noexcept { return *answer_; }

private:
    // arrived: the answer is there, unread; reading: somebody decodes it; over: the outcome is
    // decided, and here.
    enum class Stage { pending, arrived, reading, over };

    explicit CallCore(const CallRequest& request)
        : procedure_(request.procedure), one_way_(request.one_way) {}
    ~CallCore() = default;
    void destroy() noexcept;
    hg_return_t forward(const CallRequest& request);
    bool claim(Stage stage) noexcept;
    void finish(Error error);
    bool start_local(const CallRequest& request);
    void decode(hg_handle_t handle);
    void on_end(hg_return_t ret, hg_handle_t handle);
    static hg_return_t on_forward(const hg_cb_info* info);
    EngineCore& engine() const noexcept { return *procedure_->engine; }
    Stage now() const noexcept { return stage_.load(std::memory_order_relaxed); }
    void decide(Stage stage) noexcept { stage_.store(stage, std::memory_order_release); }

    void ring() noexcept override {
        abandon({Errc::timeout, HG_TIMEOUT, "the deadline of the call has passed", false});
    }
    bool answer(const Writable& result) override;
    bool fail(Errc code, const std::string& text) override;
    const Endpoint& peer() const override { return peer_; }
    std::optional<TimePoint> deadline() const override { return deadline_; }
    void leave() noexcept override;

    const std::shared_ptr<const ProcedureCore> procedure_;
    std::shared_ptr<Runtime> runtime_;  // when it has a deadline
    std::optional<TimePoint> deadline_;
    Endpoint peer_;  // when it is local
    Readable* answer_ = nullptr;
    std::atomic<int> references_{1};
    const bool one_way_;
    Lock lock_;  // of what follows; the stage is also read without
    std::atomic<Stage> stage_{Stage::pending};
    bool said_all_ = false;                            // the C API
    std::atomic<hg_handle_t> handle_{HG_HANDLE_NULL};  // while it can be canceled, or read
    std::optional<Error> error_;
    Event ended_;
    bool listed_ = false;
    CallWatch watch_;
};

CallCore* CallCore::make(const CallRequest& request) {
    constexpr std::size_t unit = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
    constexpr std::size_t own = (sizeof(CallCore) + unit - 1) / unit * unit;
    void* memory = recycled_new(own + request.answer_size);
    auto* call = new (memory) CallCore(request);
    call->answer_ = request.make_answer(static_cast<std::byte*>(memory) + own);
    return call;
}

void CallCore::destroy() noexcept {
    if (runtime_ != nullptr) runtime_->timer.disarm(*this);
    collect();
    if (listed_) engine().unlist(*this);
    answer_->~Readable();
    this->~CallCore();
    recycled_delete(this);
}

bool CallCore::claim(Stage stage) noexcept {
    const std::lock_guard lock(lock_);
    if (now() != Stage::pending) return false;
    decide(stage);
    return true;
}

void CallCore::finish(Error error) {
    if (!claim(Stage::over)) return;
    error_.emplace(std::move(error));
    watch_.ended(*procedure_, &*error_);
    ended_.set();
}

void CallCore::abandon(Error error) {
    {
        const std::lock_guard lock(lock_);
        const Stage before = now();
        if (before != Stage::pending && before != Stage::over) return;
        if (before == Stage::pending) {
            error_.emplace(std::move(error));
            decide(Stage::over);
        }
        const hg_handle_t handle = handle_.load(std::memory_order_acquire);
        if (handle != HG_HANDLE_NULL) (void)HG_Cancel(handle);
        if (before == Stage::over) return;
    }
    watch_.ended(*procedure_, &*error_);
    ended_.set();
}

hg_return_t CallCore::forward(const CallRequest& request) {
    const Address& peer = *request.peer.core();
    const hg_id_t id = request.one_way ? request.procedure->one_way_id : request.procedure->id;
    hg_handle_t handle = HG_HANDLE_NULL;
    if (const hg_return_t ret = HG_Create(engine().context, peer.addr, id, &handle);
        ret != HG_SUCCESS)
        return ret;
    // One more for the callback. Nobody else has any yet.
    references_.store(2, std::memory_order_relaxed);
    CallArguments coder(request, watch_);
    const hg_return_t ret = HG_Forward(handle, on_forward, this, static_cast<Coder*>(&coder));
    if (ret != HG_SUCCESS) {
        references_.store(1, std::memory_order_relaxed);
        (void)HG_Destroy(handle);
        return ret;
    }
    // The layer below cannot cancel what it calls in itself.
    if (peer.self) return ret;
    const std::lock_guard lock(lock_);
    if (said_all_) return ret;
    handle_.store(handle, std::memory_order_relaxed);
    if (now() == Stage::over) (void)HG_Cancel(handle);
    return ret;
}

bool CallCore::start_local(const CallRequest& request) {
    if (!request.peer.core()->self) return false;
    peer_ = request.peer;
    references_.store(2, std::memory_order_relaxed);
    const hg_id_t id = request.one_way ? request.procedure->one_way_id : request.procedure->id;
    if (serve_local(engine(), id, request.arguments, request.result, *this)) return true;
    references_.store(1, std::memory_order_relaxed);
    return false;
}

void CallCore::start(const CallRequest& request) {
    const auto& peer = request.peer.core();
    if (peer == nullptr || peer->engine != procedure_->engine)
        return finish({Errc::invalid, HG_INVALID_ARG, "the peer was not looked up here", false});
    if (request.deadline && *request.deadline <= Clock::now())
        return finish({Errc::timeout, HG_TIMEOUT, "the deadline has passed already", false});
    if (!engine().enter()) return finish(closed_error());
    deadline_ = request.deadline;
    watch_.begin(*procedure_, *peer);
    engine().list(*this);
    listed_ = true;
    if (!start_local(request)) {
        if (const hg_return_t ret = forward(request); ret != HG_SUCCESS) {
            engine().leave();
            return finish(error_of(ret, "cannot call " + procedure_->name));
        }
    }
    if (!deadline_ || ended_.is_set()) return;
    runtime_ = Runtime::get();
    runtime_->timer.arm(*this, *deadline_);
}

void CallCore::on_end(hg_return_t ret, hg_handle_t handle) {
    std::optional<Error> error;
    if (ret != HG_SUCCESS) error = call_error(ret, *procedure_);
    bool ours = false;
    bool keep = false;
    {
        const std::lock_guard lock(lock_);
        said_all_ = true;
        ours = now() == Stage::pending;
        keep = ours && !error && !one_way_;
        if (ours) decide(keep ? Stage::arrived : Stage::over);
        if (ours && error) error_ = std::move(error);
        handle_.store(keep ? handle : HG_HANDLE_NULL, std::memory_order_relaxed);
    }
    // Late: somebody else has ended it, and nobody will read what came.
    if (!keep) (void)HG_Destroy(handle);
    EngineCore& here = engine();
    if (ours) {
        if (keep)
            watch_.answered(*procedure_);
        else
            watch_.ended(*procedure_, error_ ? &*error_ : nullptr);
        ended_.set();
    }
    // With an answer that is unread it stays inside, until whoever reads it. The close looks for
    // those that nobody waits for; none comes after it has looked.
    if (!keep)
        here.leave();
    else if (here.is_closing())
        collect();
}

hg_return_t CallCore::on_forward(const hg_cb_info* info) {
    CallRef call(static_cast<CallCore*>(info->arg));
    (*call).on_end(info->ret, info->info.forward.handle);
    return HG_SUCCESS;
}

void CallCore::decode(hg_handle_t handle) {
    CallAnswer coder(*answer_);
    (void)coder.take(handle, *procedure_, watch_);
    error_ = std::move(coder.error);
    (void)HG_Destroy(handle);
    watch_.ended(*procedure_, error());
}

void CallCore::collect() {
    for (;;) {
        const Stage stage = stage_.load(std::memory_order_acquire);
        if (stage == Stage::pending || stage == Stage::over) return;
        if (stage == Stage::arrived && read_answer()) return;
        if (stage == Stage::reading) std::this_thread::yield();  // the close does so
    }
}

bool CallCore::read_answer() {
    hg_handle_t handle = HG_HANDLE_NULL;
    {
        const std::lock_guard lock(lock_);
        if (now() != Stage::arrived) return false;
        decide(Stage::reading);
        handle = handle_.exchange(HG_HANDLE_NULL, std::memory_order_relaxed);
    }
    decode(handle);
    EngineCore& here = engine();
    decide(Stage::over);
    here.leave();
    return true;
}

// The handler's side of a call to oneself. Whoever claims it writes the answer; the deadline keeps
// its hands off from then on.
bool CallCore::answer(const Writable& result) {
    if (!claim(Stage::over)) return false;
    try {
        if (!one_way_) answer_->take(result);
    } catch (...) {
        error_ = Error{Errc::no_memory, HG_NOMEM, "the result cannot be copied", false};
    }
    watch_.ended(*procedure_, error());
    ended_.set();
    return true;
}

bool CallCore::fail(Errc code, const std::string& text) {
    if (!claim(Stage::over)) return false;
    error_ = Error{code, HG_SUCCESS, text, true};
    watch_.ended(*procedure_, error());
    ended_.set();
    return true;
}

void CallCore::leave() noexcept {
    const std::shared_ptr<EngineCore> here = procedure_->engine;
    drop();
    here->leave();
}

CallRef::CallRef(const CallRef& other) noexcept : core_(other.core_) {
    core_->retain();
}

CallRef::~CallRef() {
    if (core_ != nullptr) core_->drop();
}

CallRef start_call(const CallRequest& request) {
    CallRef call(CallCore::make(request));
    (*call).start(request);
    return call;
}

void cancel_call(CallCore& call) {
    call.abandon({Errc::canceled, HG_CANCELED, "the call was canceled", false});
}

Event& call_event(CallCore& call) noexcept {
    return call.ended();
}

Readable& call_answer(CallCore& call) noexcept {
    return call.answer();
}

const Error* collect_call(CallCore& call) {
    call.collect();
    return call.error();
}

void abandon_call(Listed& call) {
    static_cast<CallCore&>(call).abandon(closing_error());
}

void settle_call(Listed& call) {
    (void)static_cast<CallCore&>(call).read_answer();
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
