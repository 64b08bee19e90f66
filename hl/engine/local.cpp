// SPDX-License-Identifier: BSD-3-Clause
// Calls to oneself, where handler and caller agree on the types: arguments and result are copied as
// they are, nothing passes the network.
#include "hl/engine/core.hpp"
#include "hl/engine/watch.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

class Local final : public Exchange {
public:
    Local(LocalCall& call, std::unique_ptr<Writable> arguments, std::shared_ptr<Served> served,
          RequestWatch watch)
        : call_(&call),
          arguments_(std::move(arguments)),
          served_(std::move(served)),
          watch_(watch) {}
    Local(Local&& other) noexcept
        : call_(std::exchange(other.call_, nullptr)),
          arguments_(std::move(other.arguments_)),
          served_(std::move(other.served_)),
          watch_(other.watch_) {}
    Local& operator=(Local&&) = delete;
    ~Local() override {
        if (call_ == nullptr) return;
        (void)call_->fail(Errc::handler_failed, "the handler gave no answer");
        watch_.end(call_->peer().core().get(), failed_);
        served_.reset();
        arguments_.reset();
        call_->leave();
    }

    void run() {
        watch_.begin();
        served_->handler->serve(*this);
    }
    Caller caller() override { return {call_->peer(), call_->deadline()}; }
    bool read(std::uint64_t, Readable& arguments) override {
        try {
            arguments.take(*arguments_);
            return true;
        } catch (const std::exception& error) {
            fail(Errc::bad_arguments, error.what());
            return false;
        }
    }
    void answer(const Writable& result) override { (void)call_->answer(result); }
    void fail(Errc code, const std::string& text) override {
        failed_ = true;
        (void)call_->fail(code, text);
    }
    std::unique_ptr<Exchange> detach() override {
        return std::make_unique<Local>(std::move(*this));
    }

private:
    LocalCall* call_;
    std::unique_ptr<Writable> arguments_;
    std::shared_ptr<Served> served_;
    bool failed_ = false;
    RequestWatch watch_;
};

class LocalUnit final : public Unit {
public:
    LocalUnit(const char* name, Local local) : Unit(name), local_(std::move(local)) {}
    void run() noexcept override { local_.run(); }

private:
    Local local_;
};

}  // namespace

bool serve_local(EngineCore& engine, hg_id_t id, const Writable& arguments,
                 const std::type_info& result, LocalCall& call) {
    Entry* entry = engine.entry(id);
    std::shared_ptr<Served> served = entry != nullptr ? entry->load() : nullptr;
    if (served == nullptr || !served->handler->takes(arguments.type(), result)) return false;
    std::unique_ptr<Writable> own = arguments.own();
    if (own == nullptr) return false;
    if (!engine.enter(true)) return false;
    // The call counts as inside by itself from here on.
    engine.leave();
    // Lives with what the unit holds.
    PoolCore& pool = *served->pool.core();
    const Priority priority = served->pool.priority();
    pool.adopt_kept(priority, std::make_unique<LocalUnit>(
                                  entry->unit_name,
                                  Local(call, std::move(own), std::move(served),
                                        RequestWatch(engine.options.monitor.get(), entry->name))));
    return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
