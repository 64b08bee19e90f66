// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/call_loop.hpp"

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {

CallLoop::CallLoop(Net& net, hg_addr_t server, std::uint64_t window) : net_(net), calls_(window) {
    for (Call& call : calls_) {
        call.loop = this;
        check(HG_Create(net.context(), server, net.sum(), &call.handle), "HG_Create");
    }
}

CallLoop::~CallLoop() {
    for (Call& call : calls_)
        check(HG_Destroy(call.handle), "HG_Destroy");
}

double CallLoop::run(std::uint64_t warm, std::uint64_t count) {
    forwarded_ = answered_ = 0;
    warm_ = warm;
    end_ = warm + count;
    start_ = now();
    for (Call& call : calls_)
        if (forwarded_ < end_) forward(call);
    while (answered_ < end_)
        net_.poll();
    return now() - start_;
}

void CallLoop::forward(Call& call) {
    const auto number = static_cast<std::int32_t>(forwarded_++ & 0xffff);
    call.in = {number, 3};
    check(HG_Forward(call.handle, on_answer, &call, &call.in), "HG_Forward");
}

hg_return_t CallLoop::on_answer(const hg_cb_info* info) {
    check(info->ret, "a call");
    auto& call = *static_cast<Call*>(info->arg);
    call.loop->receive(call);
    return HG_SUCCESS;
}

void CallLoop::receive(Call& call) {
    take_sum(call.handle, call.in.a + call.in.b);
    if (++answered_ == warm_) start_ = now();
    if (forwarded_ < end_) forward(call);
}

}  // namespace cinnabar::perf
