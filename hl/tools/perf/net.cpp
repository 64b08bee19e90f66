// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/net.hpp"

#include <mercury_proc.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

constexpr unsigned blocking_timeout_ms = 100;
constexpr unsigned callbacks_per_poll = 256;
constexpr unsigned return_period_us = 500;

hg_return_t encode_sum_in(hg_proc_t proc, void* data) {
    auto& in = *static_cast<SumIn*>(data);
    const hg_return_t ret = hg_proc_int32_t(proc, &in.a);
    return ret == HG_SUCCESS ? hg_proc_int32_t(proc, &in.b) : ret;
}

hg_return_t encode_sum_out(hg_proc_t proc, void* data) {
    return hg_proc_int32_t(proc, &static_cast<SumOut*>(data)->sum);
}

hg_return_t on_sum(hg_handle_t handle) {
    SumIn in;
    // Of a client that is gone or talks nonsense the library's log says what there is to say.
    if (HG_Get_input(handle, &in) == HG_SUCCESS) {
        SumOut out{static_cast<std::int32_t>(static_cast<std::uint32_t>(in.a) +
                                             static_cast<std::uint32_t>(in.b))};
        (void)HG_Respond(handle, nullptr, nullptr, &out);
        (void)HG_Free_input(handle, &in);
    }
    return HG_Destroy(handle);
}

}  // namespace

Net::Net(const std::string& info, bool listen, bool busy, unsigned contexts)
    : timeout_ms_(busy ? 0 : blocking_timeout_ms) {
    hg_init_info options = HG_INIT_INFO_INITIALIZER;
    options.na_init_info.progress_mode = busy ? NA_NO_BLOCK : 0;
    options.na_init_info.max_contexts = static_cast<std::uint8_t>(contexts);
    class_ = HG_Init_opt2(info.c_str(), listen, HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR),
                          &options);
    if (class_ == nullptr) fail("cannot open " + info);
    for (unsigned i = 0; i < contexts; ++i) {
        contexts_.push_back(HG_Context_create_id(class_, static_cast<std::uint8_t>(i)));
        if (contexts_.back() == nullptr) fail("cannot create a context on " + info);
    }
    check(HG_Class_set_data(class_, this, nullptr), "HG_Class_set_data");
    sum_ = HG_Register_name(class_, "sum", encode_sum_in, encode_sum_out, on_sum);
    stop_ = HG_Register_name(class_, "stop", nullptr, nullptr, on_stop);
    if (sum_ == 0 || stop_ == 0) fail("cannot register the procedures");
}

Net::~Net() {
    for (hg_context_t* context : contexts_)
        check(HG_Context_destroy(context), "HG_Context_destroy");
    check(HG_Finalize(class_), "HG_Finalize");
}

void Net::poll(std::size_t which, Spinner& spinner) {
    const hg_return_t ret = HG_Progress(contexts_[which], timeout_ms_);
    if (ret == HG_TIMEOUT) return spinner.again();
    check(ret, "HG_Progress");
    unsigned count = 0;
    if (const hg_return_t triggered = HG_Trigger(contexts_[which], 0, callbacks_per_poll, &count);
        triggered != HG_TIMEOUT)
        check(triggered, "HG_Trigger");
}

void Net::serve(unsigned threads, bool crowded) {
    std::atomic<bool> over{false};
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i)
        others.emplace_back([&] {
            Spinner spinner(crowded);
            while (!over.load(std::memory_order_relaxed)) {
                poll(0, spinner);
                while (lent_to_.load(std::memory_order_relaxed) != 0)
                    ::usleep(return_period_us);
            }
        });
    Spinner spinner(crowded);
    while (!stopped_.load(std::memory_order_relaxed)) {
        poll(0, spinner);
        if (lent_to_.load(std::memory_order_relaxed) != 0) wait_for_return();
    }
    over = true;
    for (std::thread& other : others)
        other.join();
    stopped_.store(false, std::memory_order_relaxed);
    flush();
}

void Net::flush() {
    const hg_return_t ret = HG_Progress(contexts_[0], 0);
    if (ret != HG_TIMEOUT) check(ret, "HG_Progress");
}

void Net::lend_to(pid_t child) {
    lent_to_.store(child, std::memory_order_release);
    if (child == 0) lending_ = false;
}

void Net::wait_for_return() {
    flush();
    const pid_t child = lent_to_.load(std::memory_order_acquire);
    while (::waitpid(child, nullptr, WNOHANG) == 0) {
        if (stopped_.load(std::memory_order_relaxed)) ::kill(child, SIGKILL);
        ::usleep(return_period_us);
    }
    lend_to(0);
}

hg_return_t Net::on_stop(hg_handle_t handle) {
    auto* net = static_cast<Net*>(HG_Class_get_data(HG_Get_info(handle)->hg_class));
    if (HG_Respond(handle, on_stopped, net, nullptr) != HG_SUCCESS) net->end_service();
    return HG_Destroy(handle);
}

hg_return_t Net::on_stopped(const hg_cb_info* info) {
    static_cast<Net*>(info->arg)->end_service();
    return HG_SUCCESS;
}

std::string Net::self() {
    hg_addr_t address = HG_ADDR_NULL;
    char text[512];
    hg_size_t size = sizeof text;
    check(HG_Addr_self(class_, &address), "HG_Addr_self");
    check(HG_Addr_to_string(class_, text, &size, address), "HG_Addr_to_string");
    check(HG_Addr_free(class_, address), "HG_Addr_free");
    return text;
}

}  // namespace cinnabar::perf
