// SPDX-License-Identifier: BSD-3-Clause
// A call's bytes, as its origin writes and reads them: see serve.cpp for the other side.
#pragma once

#include "hl/engine/core.hpp"
#include "hl/engine/watch.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

class CallArguments final : public Coder {
public:
    CallArguments(const CallRequest& request, CallWatch& watch)
        : request_(request), watch_(watch) {}
    hg_return_t encode(hg_proc_t proc) override {
        Writer writer(proc);
        std::uint64_t left = 0;
        if (request_.deadline) left = microseconds_left(*request_.deadline);
        writer(request_.procedure->signature, left);
        request_.arguments.write(writer);
        watch_.sent(*request_.procedure, hg_proc_get_size_used(proc));
        return writer.status();
    }

private:
    static std::uint64_t microseconds_left(TimePoint deadline) {
        using std::chrono::microseconds;
        const auto left = std::chrono::ceil<microseconds>(deadline - Clock::now()).count();
        return left > 0 ? static_cast<std::uint64_t>(left) : 1;
    }
    const CallRequest& request_;
    CallWatch& watch_;
};

class CallAnswer final : public Coder {
public:
    explicit CallAnswer(Readable& answer) : answer_(answer) {}
    hg_return_t decode(hg_proc_t proc) override {
        Reader reader(proc);
        std::uint8_t flags = 0;
        reader(flags);
        if ((flags & ~answer_flags) != 0) reader.fail();
        if ((flags & answer_is_timed) != 0) reader(held_ns_);
        if (reader.ok() && (flags & answer_is_good) == 0) {
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
        size_ = hg_proc_get_size_used(proc);
        return HG_SUCCESS;
    }
    // Takes the answer out of the handle: `error` says what is wrong with it. False if it is of no
    // more use.
    bool take(hg_handle_t handle, const ProcedureCore& procedure, CallWatch& watch) {
        const hg_return_t got = HG_Get_output(handle, static_cast<Coder*>(this));
        if (got == HG_SUCCESS)
            (void)HG_Free_output(handle, static_cast<Coder*>(this));
        else
            error = error_of(got, "the result of " + procedure.name + " cannot be decoded");
        watch.read(size_, held_ns_);
        return got == HG_SUCCESS;
    }
    std::optional<Error> error;

private:
    std::uint64_t held_ns_ = 0;
    std::size_t size_ = 0;
    Readable& answer_;
};

// What the callback of a call says of it, if it is no success.
inline Error call_error(hg_return_t ret, const ProcedureCore& procedure) {
    Error error = error_of(ret, "call of " + procedure.name);
    // Cancels that were asked for here are known before.
    if (ret == HG_CANCELED) error.code = Errc::peer_lost;
    error.remote = ret == HG_NOENTRY;
    return error;
}

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
