// SPDX-License-Identifier: BSD-3-Clause
// Calls, at the origin. Response, deadline and cancel race to claim the outcome; the first one
// writes it. The handle lives on until the C API has said its last word, and the engine waits for
// that.
#include "cinnabar/call.hpp"

#include "hl/engine/core.hpp"
#include "hl/ult/runtime.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class CallCore final : public std::enable_shared_from_this<CallCore>, public Alarm {
public:
    CallCore(std::shared_ptr<EngineCore> engine, std::shared_ptr<Readable> answer)
        : engine_(std::move(engine)), answer_(std::move(answer)) {}
    ~CallCore() {
        if (runtime_ != nullptr) runtime_->timer.disarm(*this);
    }

    void start(const CallRequest& request);
    void finish(Error error) {
        if (claimed_.exchange(true)) return;
        error_.emplace(std::move(error));
        ended_.set();
    }
    // Finishes, and asks the C API to hurry.
    void abandon(Error error) {
        finish(std::move(error));
        const std::lock_guard lock(mutex_);
        if (handle_ != HG_HANDLE_NULL && !self_) (void)HG_Cancel(handle_);
    }
    void ring() noexcept override {
        abandon({Errc::timeout, HG_TIMEOUT, "the deadline of the call has passed", false});
    }
    Event& ended() noexcept { return ended_; }
    const std::optional<Error>& error() const noexcept { return error_; }

private:
    class Request;
    class Response;
    static hg_return_t on_forward(const hg_cb_info* info);
    hg_return_t forward(const CallRequest& request);
    void receive(hg_return_t ret);

    const std::shared_ptr<EngineCore> engine_;
    const std::shared_ptr<Readable> answer_;
    std::shared_ptr<Runtime> runtime_;  // when it has a deadline
    std::shared_ptr<CallCore> keep_;    // while the C API knows it
    std::string name_;
    bool one_way_ = false;
    bool self_ = false;
    std::atomic<bool> claimed_{false};
    std::optional<Error> error_;
    Event ended_;
    std::mutex mutex_;  // guards the handle against cancels
    hg_handle_t handle_ = HG_HANDLE_NULL;
};

class CallCore::Request final : public Coder {
public:
    explicit Request(const CallRequest& request) : request_(request) {}
    hg_return_t encode(hg_proc_t proc) override {
        Writer writer(proc);
        writer(request_.procedure.signature);
        request_.arguments.write(writer);
        return writer.status();
    }

private:
    const CallRequest& request_;
};

class CallCore::Response final : public Coder {
public:
    explicit Response(Readable& answer) : answer_(answer) {}
    hg_return_t decode(hg_proc_t proc) override {
        Reader reader(proc);
        bool good = false;
        reader(good);
        if (reader.ok() && !good) {
            int number = 0;
            Error said;
            reader(number, said.text);
            const bool known = number >= 1 && number <= static_cast<int>(Errc::refused);
            said.code = known ? static_cast<Errc>(number) : Errc::other;
            said.hg = HG_SUCCESS;
            said.remote = true;
            error = std::move(said);
        } else if (reader.ok()) {
            answer_.read(reader);
        }
        if (!reader.ok()) error = error_of(reader.status(), "the result cannot be decoded");
        if (!reader.ok()) error->code = Errc::bad_result;
        return HG_SUCCESS;
    }
    std::optional<Error> error;

private:
    Readable& answer_;
};

hg_return_t CallCore::forward(const CallRequest& request) {
    const Address& peer = *request.peer.core();
    const hg_id_t id = request.one_way ? request.procedure.one_way_id : request.procedure.id;
    hg_handle_t handle = HG_HANDLE_NULL;
    if (const hg_return_t ret = HG_Create(engine_->context, peer.addr, id, &handle);
        ret != HG_SUCCESS)
        return ret;
    self_ = peer.self;
    {
        const std::lock_guard lock(mutex_);
        handle_ = handle;
    }
    keep_ = shared_from_this();
    Request coder(request);
    const hg_return_t ret = HG_Forward(handle, on_forward, this, static_cast<Coder*>(&coder));
    if (ret == HG_SUCCESS) return ret;
    {
        const std::lock_guard lock(mutex_);
        handle_ = HG_HANDLE_NULL;
    }
    keep_.reset();
    (void)HG_Destroy(handle);
    return ret;
}

void CallCore::start(const CallRequest& request) {
    name_ = request.procedure.name;
    one_way_ = request.one_way;
    const auto& peer = request.peer.core();
    if (peer == nullptr || peer->engine != engine_)
        return finish({Errc::invalid, HG_INVALID_ARG, "the peer was not looked up here", false});
    if (request.deadline && *request.deadline <= Clock::now())
        return finish({Errc::timeout, HG_TIMEOUT, "the deadline has passed already", false});
    if (!engine_->enter(*this)) return finish(closed_error());
    const std::shared_ptr<CallCore> keep = shared_from_this();
    if (const hg_return_t ret = forward(request); ret != HG_SUCCESS) {
        engine_->leave(*this);
        return finish(error_of(ret, "cannot call " + name_));
    }
    if (!request.deadline || ended_.is_set()) return;
    runtime_ = Runtime::get();
    runtime_->timer.arm(*this, *request.deadline);
}

void CallCore::receive(hg_return_t ret) {
    if (ret != HG_SUCCESS) {
        Error error = error_of(ret, "call of " + name_);
        if (ret == HG_CANCELED && !claimed_.load()) error.code = Errc::peer_lost;
        error.remote = ret == HG_NOENTRY;
        return finish(std::move(error));
    }
    // Late: somebody else has ended it, and the answer's place is not ours any more.
    if (claimed_.exchange(true)) return;
    if (!one_way_) {
        Response response(*answer_);
        const hg_return_t got = HG_Get_output(handle_, static_cast<Coder*>(&response));
        if (got == HG_SUCCESS)
            (void)HG_Free_output(handle_, static_cast<Coder*>(&response));
        else
            response.error = error_of(got, "the result of " + name_ + " cannot be decoded");
        error_ = std::move(response.error);
    }
    ended_.set();
}

hg_return_t CallCore::on_forward(const hg_cb_info* info) {
    auto& call = *static_cast<CallCore*>(info->arg);
    const std::shared_ptr<CallCore> keep = std::move(call.keep_);
    call.receive(info->ret);
    hg_handle_t handle = HG_HANDLE_NULL;
    {
        const std::lock_guard lock(call.mutex_);
        handle = std::exchange(call.handle_, HG_HANDLE_NULL);
    }
    (void)HG_Destroy(handle);
    call.engine_->leave(call);
    return HG_SUCCESS;
}

std::shared_ptr<CallCore> start_call(const CallRequest& request, std::shared_ptr<Readable> answer) {
    auto call = std::make_shared<CallCore>(request.procedure.engine, std::move(answer));
    call->start(request);
    return call;
}

bool wait_call(CallCore& call, std::optional<TimePoint> deadline) {
    if (!deadline) {
        call.ended().wait();
        return true;
    }
    if (call.ended().is_set()) return true;
    return *deadline > Clock::now() && call.ended().wait_until(*deadline);
}

void cancel_call(CallCore& call) {
    call.abandon({Errc::canceled, HG_CANCELED, "the call was canceled", false});
}

void abandon_call(CallCore& call) {
    call.abandon({Errc::canceled, HG_CANCELED, "the engine is closing", false});
}

const Error* call_error(const CallCore& call) {
    return call.error() ? &*call.error() : nullptr;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
