// SPDX-License-Identifier: BSD-3-Clause
// Requests, at the target: from the callback in the progress thread to a unit, and its answer.
#include <new>

#include "hl/engine/core.hpp"
#include "hl/engine/watch.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// The wire: a request is the signature, the microseconds that the caller waits (0: for ever) and
// the arguments; an answer is its flags, the time if it has one, and the result, or the kind of
// error and its text.
class Arguments final : public Coder {
public:
    Arguments(std::uint64_t expected, Readable& values) : signature_(expected), values_(values) {}
    hg_return_t decode(hg_proc_t proc) override {
        Reader reader(proc);
        std::uint64_t said = 0;
        reader(said, microseconds);
        matches = !reader.ok() || said == signature_;
        if (matches) values_.read(reader);
        status = reader.status();
        size = hg_proc_get_size_used(proc);
        return HG_SUCCESS;
    }
    bool matches = true;
    std::uint64_t microseconds = 0;
    std::size_t size = 0;
    hg_return_t status = HG_SUCCESS;

private:
    std::uint64_t signature_;
    Readable& values_;
};

class Answer : public Coder {
public:
    hg_return_t encode(hg_proc_t proc) final {
        Writer writer(proc);
        const std::uint64_t held_ns = watch_ != nullptr ? watch_->held_ns() : 0;
        writer(static_cast<std::uint8_t>(flags_ | (held_ns != 0 ? answer_is_timed : 0)));
        if (held_ns != 0) writer(held_ns);
        write(writer);
        if (watch_ != nullptr) watch_->sent(hg_proc_get_size_used(proc));
        return writer.status();
    }

protected:
    Answer(std::uint8_t flags, RequestWatch* watch) : flags_(flags), watch_(watch) {}
    ~Answer() = default;
    virtual void write(Writer& writer) = 0;

private:
    std::uint8_t flags_;
    RequestWatch* watch_;
};

class Good final : public Answer {
public:
    Good(const Writable& result, RequestWatch* watch)
        : Answer(answer_is_good, watch), result_(result) {}
    void write(Writer& writer) override { result_.write(writer); }

private:
    const Writable& result_;
};

class Bad final : public Answer {
public:
    Bad(Errc code, const std::string& text, RequestWatch* watch = nullptr)
        : Answer(0, watch), code_(code), text_(text) {}
    void write(Writer& writer) override { writer(static_cast<int>(code_), text_); }

private:
    Errc code_;
    const std::string& text_;
};

hg_return_t on_responded(const hg_cb_info* info) {
    auto& slot = *static_cast<Answers::Slot*>(info->arg);
    EngineCore& engine = slot.engine;
    engine.answers.ended(slot);
    engine.leave();
    return HG_SUCCESS;
}

void refuse(hg_handle_t handle, Errc why, const std::string& text) {
    Bad bad(why, text);
    (void)HG_Respond(handle, nullptr, nullptr, static_cast<Coder*>(&bad));
    (void)HG_Destroy(handle);
}

// Owns the handle, and keeps the engine open until the answer is out.
class Incoming final : public Exchange {
public:
    Incoming(EngineCore& engine, hg_handle_t handle, Entry& entry, Turn& turn)
        : engine_(engine),
          handle_(handle),
          entry_(entry),
          turn_(turn),
          answered_(entry.one_way),
          inside_(entry.one_way ? 1 : 2),
          watch_(engine.options.monitor.get(), entry.name) {}
    Incoming(Incoming&& other) noexcept
        : engine_(other.engine_),
          handle_(std::exchange(other.handle_, HG_HANDLE_NULL)),
          entry_(other.entry_),
          turn_(other.turn_),
          deadline_(other.deadline_),
          answered_(other.answered_),
          inside_(other.inside_),
          watch_(other.watch_) {}
    Incoming& operator=(Incoming&&) = delete;
    ~Incoming() override {
        if (handle_ == HG_HANDLE_NULL) return;
        if (!answered_) fail(Errc::handler_failed, "the handler gave no answer");
        if (watch_) end_watch();
        (void)HG_Destroy(handle_);
        entry_.end(turn_);
        engine_.leave(inside_);
    }

    void run() {
        watch_.begin();
        turn_.served->handler->serve(*this);
    }
    Caller caller() override {
        hg_addr_t copy = HG_ADDR_NULL;
        const hg_addr_t from = HG_Get_info(handle_)->addr;
        if (HG_Addr_dup(engine_.cls, from, &copy) != HG_SUCCESS) return {Endpoint(), deadline_};
        const bool self = HG_Addr_cmp(engine_.cls, copy, engine_.self->addr) != 0;
        return {Endpoint(std::make_shared<Address>(engine_.shared_from_this(), copy, self)),
                deadline_};
    }
    bool read(std::uint64_t signature, Readable& values) override {
        Arguments arguments(signature, values);
        const hg_return_t ret = HG_Get_input(handle_, static_cast<Coder*>(&arguments));
        if (ret == HG_SUCCESS) (void)HG_Free_input(handle_, static_cast<Coder*>(&arguments));
        watch_.received(arguments.size);
        if (!arguments.matches) {
            fail(Errc::signature_mismatch, "the types of caller and handler differ");
            return false;
        }
        const hg_return_t failed = ret != HG_SUCCESS ? ret : arguments.status;
        if (failed != HG_SUCCESS) {
            fail(Errc::bad_arguments, error_of(failed, "the arguments cannot be decoded").text);
            return false;
        }
        // More than a day is no deadline, whatever a peer says.
        constexpr std::uint64_t day = 86'400'000'000;
        if (arguments.microseconds != 0 && arguments.microseconds < day)
            deadline_ = Clock::now() + std::chrono::microseconds(arguments.microseconds);
        return true;
    }
    void answer(const Writable& result) override {
        Good good(result, &watch_);
        if (const hg_return_t ret = respond(good); ret != HG_SUCCESS)
            fail(Errc::handler_failed, error_of(ret, "the result cannot be sent").text);
    }
    void fail(Errc code, const std::string& text) override {
        Bad bad(code, text, &watch_);
        (void)respond(bad);
        answered_ = true;
        failed_ = true;
    }
    std::unique_ptr<Exchange> detach() override {
        return std::make_unique<Incoming>(std::move(*this));
    }

private:
    hg_return_t respond(Coder& coder) {
        if (answered_) return HG_SUCCESS;
        Answers::Slot* slot = engine_.answers.take(handle_, deadline_);
        if (slot == nullptr) return HG_NOMEM;
        const hg_return_t ret = HG_Respond(handle_, on_responded, slot, &coder);
        answered_ = ret == HG_SUCCESS;
        if (answered_) {
            // The answer on its way counts by itself.
            inside_ = 1;
            engine_.answers.posted(*slot, handle_);
        } else {
            engine_.answers.drop(*slot);
        }
        return ret;
    }

    void end_watch() noexcept {
        try {
            watch_.end(caller().endpoint().core().get(), failed_);
        } catch (const std::bad_alloc&) {
            watch_.end(nullptr, failed_);
        }
    }

    EngineCore& engine_;
    hg_handle_t handle_;
    Entry& entry_;
    Turn& turn_;
    std::optional<TimePoint> deadline_;
    bool answered_;
    unsigned inside_;  // how often this counts in the engine
    bool failed_ = false;
    RequestWatch watch_;
};

class IncomingUnit final : public Unit {
public:
    IncomingUnit(EngineCore& engine, hg_handle_t handle, Entry& entry, Turn& turn)
        : Unit(entry.unit_name), incoming_(engine, handle, entry, turn) {}
    void run() noexcept override { incoming_.run(); }

private:
    Incoming incoming_;
};

}  // namespace

hg_return_t on_request(hg_handle_t handle) noexcept {
    const hg_info* info = HG_Get_info(handle);
    auto& engine = *static_cast<EngineCore*>(HG_Context_get_data(info->context));
    Entry* entry = engine.entry(info->id);
    Turn* turn = entry != nullptr ? entry->begin() : nullptr;
    const unsigned times = entry != nullptr && entry->one_way ? 1 : 2;
    const bool known = turn != nullptr;
    if (known && engine.enter(true, times)) {
        // Lives with the turn, which the unit keeps.
        PoolCore& pool = *turn->served->pool.core();
        const Priority priority = turn->served->pool.priority();
        auto* unit = new (std::nothrow) IncomingUnit(engine, handle, *entry, *turn);
        if (unit != nullptr) {
            pool.adopt_kept(priority, std::unique_ptr<Unit>(unit));
            return HG_SUCCESS;
        }
        entry->end(*turn);
        engine.leave(times);
        (void)HG_Destroy(handle);
        return HG_SUCCESS;
    }
    if (known) entry->end(*turn);
    if (entry != nullptr && entry->one_way) {
        (void)HG_Destroy(handle);
    } else if (known) {
        refuse(handle, Errc::refused, "the peer is closing");
    } else {
        refuse(handle, Errc::unknown_procedure, "no such procedure");
    }
    return HG_SUCCESS;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
