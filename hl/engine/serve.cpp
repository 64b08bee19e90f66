// SPDX-License-Identifier: BSD-3-Clause
// Requests, at the target: from the callback in the progress thread to a unit, and its answer.
#include "hl/engine/core.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {
namespace {

// The wire: a request is the signature and the arguments; an answer is a true and the result, or a
// false, the kind of error and its text.
class Arguments final : public Coder {
public:
    Arguments(std::uint64_t expected, Readable& values) : signature_(expected), values_(values) {}
    hg_return_t decode(hg_proc_t proc) override {
        Reader reader(proc);
        std::uint64_t said = 0;
        reader(said);
        matches = !reader.ok() || said == signature_;
        if (matches) values_.read(reader);
        status = reader.status();
        return HG_SUCCESS;
    }
    bool matches = true;
    hg_return_t status = HG_SUCCESS;

private:
    std::uint64_t signature_;
    Readable& values_;
};

class Good final : public Coder {
public:
    explicit Good(const Writable& result) : result_(result) {}
    hg_return_t encode(hg_proc_t proc) override {
        Writer writer(proc);
        writer(true);
        result_.write(writer);
        return writer.status();
    }

private:
    const Writable& result_;
};

class Bad final : public Coder {
public:
    Bad(Errc code, const std::string& text) : code_(code), text_(text) {}
    hg_return_t encode(hg_proc_t proc) override {
        Writer writer(proc);
        writer(false, static_cast<int>(code_), text_);
        return writer.status();
    }

private:
    Errc code_;
    const std::string& text_;
};

hg_return_t on_responded(const hg_cb_info* info) {
    static_cast<EngineCore*>(info->arg)->leave();
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
    Incoming(EngineCore& engine, hg_handle_t handle, bool one_way)
        : engine_(engine), handle_(handle), one_way_(one_way) {}
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;
    ~Incoming() {
        if (!answered_) fail(Errc::handler_failed, "the handler gave no answer");
        (void)HG_Destroy(handle_);
        engine_.leave();
    }

    Endpoint caller() override {
        hg_addr_t copy = HG_ADDR_NULL;
        const hg_addr_t from = HG_Get_info(handle_)->addr;
        if (HG_Addr_dup(engine_.cls, from, &copy) != HG_SUCCESS) return {};
        const bool self = HG_Addr_cmp(engine_.cls, copy, engine_.self->addr) != 0;
        return Endpoint(std::make_shared<Address>(engine_.shared_from_this(), copy, self));
    }
    bool read(std::uint64_t signature, Readable& values) override {
        Arguments arguments(signature, values);
        const hg_return_t ret = HG_Get_input(handle_, static_cast<Coder*>(&arguments));
        if (ret == HG_SUCCESS) (void)HG_Free_input(handle_, static_cast<Coder*>(&arguments));
        if (!arguments.matches) {
            fail(Errc::signature_mismatch, "the types of caller and handler differ");
            return false;
        }
        const hg_return_t failed = ret != HG_SUCCESS ? ret : arguments.status;
        if (failed == HG_SUCCESS) return true;
        fail(Errc::bad_arguments, error_of(failed, "the arguments cannot be decoded").text);
        return false;
    }
    void answer(const Writable& result) override {
        Good good(result);
        if (const hg_return_t ret = respond(good); ret != HG_SUCCESS)
            fail(Errc::handler_failed, error_of(ret, "the result cannot be sent").text);
    }
    void fail(Errc code, const std::string& text) override {
        Bad bad(code, text);
        (void)respond(bad);
        answered_ = true;
    }

private:
    hg_return_t respond(Coder& coder) {
        if (one_way_ || answered_) {
            answered_ = true;
            return HG_SUCCESS;
        }
        // The answer on its way counts by itself; it cannot be refused while the request counts.
        (void)engine_.enter();
        const hg_return_t ret = HG_Respond(handle_, on_responded, &engine_, &coder);
        answered_ = ret == HG_SUCCESS;
        if (!answered_) engine_.leave();
        return ret;
    }

    EngineCore& engine_;
    hg_handle_t handle_;
    const bool one_way_;
    bool answered_ = false;
};

}  // namespace

hg_return_t on_request(hg_handle_t handle) noexcept {
    const hg_info* info = HG_Get_info(handle);
    auto& engine = *static_cast<EngineCore*>(HG_Context_get_data(info->context));
    std::unique_ptr<Incoming> incoming;
    try {
        Served served = engine.find(info->id);
        const bool known = served.handler != nullptr;
        if (known && engine.enter(true)) {
            incoming.reset(new (std::nothrow) Incoming(engine, handle, served.one_way));
            if (incoming == nullptr) {
                engine.leave();
                (void)HG_Destroy(handle);
                return HG_SUCCESS;
            }
            served.pool.post([taken = std::move(incoming), handler = std::move(served.handler)] {
                handler->serve(*taken);
            });
        } else if (served.one_way) {
            (void)HG_Destroy(handle);
        } else if (known) {
            refuse(handle, Errc::refused, "the peer is closing");
        } else {
            refuse(handle, Errc::unknown_procedure, "no such procedure");
        }
    } catch (const std::bad_alloc&) {
        // The end of what was taken has told the caller.
    }
    return HG_SUCCESS;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
