// SPDX-License-Identifier: BSD-3-Clause
// Posting, completing, polling and cancelling through the wrapper: where most things go wrong.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "tests/fault/wrapper.hpp"

namespace cinnabar::fault {
namespace {

ContextPart& part_of(void* ctx) {
    return *static_cast<ContextPart*>(ctx);
}

bool is_send(Kind kind) {
    return kind == Kind::send_unexpected || kind == Kind::send_expected;
}
bool is_transfer(Kind kind) {
    return kind == Kind::put || kind == Kind::get;
}

na_completion ending(na_return_t ret) {
    return {ret, 0, 0, nullptr, nullptr, false};
}

// Hands the operation to the wrapped plugin, which may complete it at once.
na_return_t give(OpPart& op) {
    const na_plugin& plugin = *op.context->plugin;
    void* ctx = inner(op.context);
    na_send send = op.send;
    send.dest = inner(send.dest);
    na_recv recv = op.recv;
    recv.source = inner(recv.source);
    na_rma rma = op.rma;
    rma.local_mem = inner(rma.local_mem);
    rma.remote_mem = inner(rma.remote_mem);
    rma.remote = inner(rma.remote);
    switch (op.kind) {
        case Kind::send_unexpected:
            return plugin.message->send_unexpected(ctx, inner(&op), &send);
        case Kind::recv_unexpected:
            return plugin.message->recv_unexpected(ctx, inner(&op), &recv);
        case Kind::send_expected:
            return plugin.message->send_expected(ctx, inner(&op), &send);
        case Kind::recv_expected:
            return plugin.message->recv_expected(ctx, inner(&op), &recv);
        case Kind::put:
            return plugin.rma->put(ctx, inner(&op), &rma);
        case Kind::get:
            return plugin.rma->get(ctx, inner(&op), &rma);
        case Kind::count:
            break;
    }
    std::abort();
}

// With the mutex held: the operation is not ours any more.
void release(OpPart& op) {
    std::erase(op.context->posted, &op);
    op.stage = Stage::idle;
    --state().report.posted;
}

// Tells libna that it has ended. Without the mutex.
void end(OpPart& op, const na_completion& completion) {
    {
        const std::lock_guard lock(state().mutex);
        release(op);
    }
    host->complete(&op, &completion);
}

void hold_completion(OpPart& op, unsigned due, const na_completion& completion) {
    std::vector<Held>& held = op.context->completions;
    for (const Held& earlier : held)
        if (earlier.op->kind == op.kind) due = std::max(due, earlier.due);
    op.stage = Stage::ended;
    held.push_back({&op, due, completion});
}

// What becomes of a post that is accepted; the mutex is held. True: it goes to the wrapped plugin.
bool accept(ContextPart& context, OpPart& op) {
    State& s = state();
    const bool send = is_send(op.kind), transfer = is_transfer(op.kind);
    op.stage = Stage::inside;
    if (!send && !transfer) return true;
    if (s.chance(s.plan.lose)) {
        // Of a lost message nobody hears; a transfer cannot be lost without the connection.
        hold_completion(op, context.polls + 1, ending(send ? NA_SUCCESS : NA_HOSTUNREACH));
        return false;
    }
    const bool behind = send && !context.sends.empty();
    if (!s.chance(s.plan.delay) && !behind) return true;
    const Held held{&op, context.polls + s.polls_to_wait(), {}};
    op.stage = Stage::held;
    if (send)
        context.sends.push_back(held);
    else
        context.transfers.push_back(held);
    return false;
}

// The same message once more, of which nobody outside knows.
void send_ghost(const OpPart& original) {
    ContextPart& context = *original.context;
    const std::size_t size = (room + context.plugin->op_size + 63) / 64 * 64;
    auto* block = static_cast<std::byte*>(std::aligned_alloc(64, size));
    std::memset(block, 0, size);
    OpPart& ghost = *new (block) OpPart(original);
    ghost.ghost = true;
    ghost.stage = Stage::inside;
    ghost.copy = static_cast<std::byte*>(std::malloc(ghost.send.size + 1));
    std::memcpy(ghost.copy, ghost.send.buf, ghost.send.size);
    ghost.send.buf = ghost.copy;
    bool good = context.plugin->class_ops->op_open(inner(context.cls), inner(&ghost)) == NA_SUCCESS;
    {
        const std::lock_guard lock(state().mutex);
        context.ghosts.push_back(&ghost);
    }
    if (good && give(ghost) == NA_SUCCESS) return;
    const std::lock_guard lock(state().mutex);
    std::erase(context.ghosts, &ghost);
    context.buried.push_back(&ghost);
}

void free_buried(ContextPart& context) {
    std::vector<OpPart*> buried;
    {
        const std::lock_guard lock(state().mutex);
        buried.swap(context.buried);
    }
    for (OpPart* ghost : buried) {
        context.plugin->class_ops->op_close(inner(context.cls), inner(ghost));
        std::free(ghost->copy);
        std::free(ghost);
    }
}

// With the mutex held: counts a post, and gives the code with which it is refused.
na_return_t refuse(State& s, Kind kind) {
    if (s.plan.gone_after != 0 && s.report.posts >= s.plan.gone_after) s.gone = true;
    if (s.gone && kind != Kind::recv_unexpected) return NA_HOSTUNREACH;
    if (s.chance(s.plan.fail_post)) return s.plan.code;
    ++s.report.posts;
    return NA_SUCCESS;
}

template <class Fill>
na_return_t post(void* ctx, void* op_part, Slot slot, Kind kind, Fill&& fill) {
    State& s = state();
    if (const na_return_t ret = s.call(slot); ret != NA_SUCCESS) return ret;
    ContextPart& context = part_of(ctx);
    OpPart& op = *static_cast<OpPart*>(op_part);
    bool twice = false;
    {
        const std::lock_guard lock(s.mutex);
        if (const na_return_t ret = refuse(s, kind); ret != NA_SUCCESS) return ret;
        ++s.report.posted;
        op.context = &context;
        op.kind = kind;
        op.peer_gone = op.ghost = false;
        op.send = {};
        op.recv = {};
        op.rma = {};
        fill(op);
        context.posted.push_back(&op);
        if (!accept(context, op)) return NA_SUCCESS;
        twice = is_send(kind) && s.chance(s.plan.duplicate);
    }
    if (twice) send_ghost(op);
    const na_return_t ret = give(op);
    if (ret != NA_SUCCESS) {
        const std::lock_guard lock(s.mutex);
        release(op);
    }
    return ret;
}

// Whatever is held back and due: posts first.
OpPart* next_due_post(ContextPart& context) {
    const std::lock_guard lock(state().mutex);
    OpPart* op = nullptr;
    if (!context.sends.empty() && context.sends.front().due <= context.polls) {
        op = context.sends.front().op;
        context.sends.pop_front();
    } else {
        auto& transfers = context.transfers;
        const auto found = std::find_if(transfers.begin(), transfers.end(), [&](const Held& held) {
            return held.due <= context.polls;
        });
        if (found == transfers.end()) return nullptr;
        op = found->op;
        transfers.erase(found);
    }
    op->stage = Stage::inside;
    return op;
}

bool take_due_completion(ContextPart& context, Held& taken) {
    const std::lock_guard lock(state().mutex);
    auto& held = context.completions;
    const auto found = std::find_if(held.begin(), held.end(),
                                    [&](const Held& each) { return each.due <= context.polls; });
    if (found == held.end()) return false;
    taken = *found;
    held.erase(found);
    return true;
}

// With the mutex held: takes back an operation that the wrapped plugin does not have.
bool take_back(ContextPart& context, OpPart& op) {
    const auto of_op = [&](const Held& held) { return held.op == &op; };
    return op.stage == Stage::held &&
           std::erase_if(context.sends, of_op) + std::erase_if(context.transfers, of_op) > 0;
}

// All peers are gone: what was posted to them ends.
void sweep(ContextPart& context) {
    std::vector<OpPart*> taken, inside;
    {
        const std::lock_guard lock(state().mutex);
        if (!state().gone || std::exchange(context.swept, true)) return;
        for (OpPart* op : context.posted) {
            if (op->kind == Kind::recv_unexpected) continue;
            if (take_back(context, *op)) {
                taken.push_back(op);
            } else if (op->stage == Stage::inside) {
                op->peer_gone = true;
                inside.push_back(op);
            }
        }
    }
    for (OpPart* op : taken)
        end(*op, ending(NA_HOSTUNREACH));
    for (OpPart* op : inside)
        (void)context.plugin->progress->cancel(inner(&context), inner(op));
}

}  // namespace

void complete(void* inner_op, const na_completion* given) {
    OpPart& op = *static_cast<OpPart*>(outer(inner_op));
    State& s = state();
    na_completion completion = *given;
    completion.source = outer(given->source);
    void* dropped = nullptr;
    bool again = false, held = false;
    {
        const std::lock_guard lock(s.mutex);
        if (op.stage != Stage::inside) {
            std::fprintf(stderr,
                         "fault: the transport completes an operation that is not posted\n");
            std::abort();
        }
        if (op.ghost) {
            std::erase(op.context->ghosts, &op);
            op.context->buried.push_back(&op);
            return;
        }
        // A message from one who is gone is not seen.
        again = s.gone && op.kind == Kind::recv_unexpected && completion.ret == NA_SUCCESS;
        if (op.peer_gone && completion.ret == NA_CANCELED) completion.ret = NA_HOSTUNREACH;
        const auto kind = static_cast<std::size_t>(op.kind);
        const bool chosen = !again && !s.calm && s.plan.hits(++s.report.completions[kind]) &&
                            op.kind == s.plan.kind;
        if (chosen) ++s.report.faults;
        if (chosen || (!again && s.chance(s.plan.fail_completion))) completion.ret = s.plan.code;
        if (completion.ret != NA_SUCCESS || again)
            dropped = std::exchange(completion.source, nullptr);
        held = !again && s.chance(s.plan.delay);
        if (held) hold_completion(op, op.context->polls + s.polls_to_wait(), completion);
    }
    if (dropped != nullptr) host->addr_unref(dropped);
    if (again) {
        const na_return_t ret = give(op);
        if (ret != NA_SUCCESS) end(op, ending(ret));
        return;
    }
    if (!held) end(op, completion);
}

na_return_t send_unexpected(void* ctx, void* op, const na_send* send) {
    return post(ctx, op, Slot::send_unexpected, Kind::send_unexpected,
                [&](OpPart& part) { part.send = *send; });
}

na_return_t recv_unexpected(void* ctx, void* op, const na_recv* recv) {
    return post(ctx, op, Slot::recv_unexpected, Kind::recv_unexpected,
                [&](OpPart& part) { part.recv = *recv; });
}

na_return_t send_expected(void* ctx, void* op, const na_send* send) {
    return post(ctx, op, Slot::send_expected, Kind::send_expected,
                [&](OpPart& part) { part.send = *send; });
}

na_return_t recv_expected(void* ctx, void* op, const na_recv* recv) {
    return post(ctx, op, Slot::recv_expected, Kind::recv_expected,
                [&](OpPart& part) { part.recv = *recv; });
}

na_return_t put(void* ctx, void* op, const na_rma* rma) {
    return post(ctx, op, Slot::put, Kind::put, [&](OpPart& part) { part.rma = *rma; });
}

na_return_t get(void* ctx, void* op, const na_rma* rma) {
    return post(ctx, op, Slot::get, Kind::get, [&](OpPart& part) { part.rma = *rma; });
}

na_return_t try_send(void* ctx, const na_send* send, bool expected) {
    State& s = state();
    ContextPart& context = part_of(ctx);
    const auto real = context.plugin->message->try_send;
    if (real == nullptr) return NA_AGAIN;
    if (const na_return_t ret = s.call(expected ? Slot::send_expected : Slot::send_unexpected);
        ret != NA_SUCCESS)
        return ret;
    na_send given = *send;
    given.dest = inner(send->dest);
    bool twice = false;
    {
        const std::lock_guard lock(s.mutex);
        const Kind kind = expected ? Kind::send_expected : Kind::send_unexpected;
        if (const na_return_t ret = refuse(s, kind); ret != NA_SUCCESS) return ret;
        // Of a lost message nobody hears.
        if (s.chance(s.plan.lose)) return NA_SUCCESS;
        // Others are held back: it would overtake them.
        if (!context.sends.empty() || s.chance(s.plan.delay)) return NA_AGAIN;
        twice = s.chance(s.plan.duplicate);
    }
    const na_return_t ret = real(inner(ctx), &given, expected);
    if (ret == NA_SUCCESS && twice) (void)real(inner(ctx), &given, expected);
    return ret;
}

namespace {

na_return_t try_transfer(void* ctx, const na_rma* rma, Slot slot,
                         na_return_t (*real)(void*, const na_rma*)) {
    State& s = state();
    if (real == nullptr) return NA_AGAIN;
    if (const na_return_t ret = s.call(slot); ret != NA_SUCCESS) return ret;
    {
        const std::lock_guard lock(s.mutex);
        const Kind kind = slot == Slot::put ? Kind::put : Kind::get;
        if (const na_return_t ret = refuse(s, kind); ret != NA_SUCCESS) return ret;
        if (s.chance(s.plan.lose)) return NA_HOSTUNREACH;
        if (s.chance(s.plan.delay)) return NA_AGAIN;
    }
    na_rma given = *rma;
    given.local_mem = inner(rma->local_mem);
    given.remote_mem = inner(rma->remote_mem);
    given.remote = inner(rma->remote);
    return real(inner(ctx), &given);
}

}  // namespace

na_return_t try_put(void* ctx, const na_rma* rma) {
    return try_transfer(ctx, rma, Slot::put, part_of(ctx).plugin->rma->try_put);
}

na_return_t try_get(void* ctx, const na_rma* rma) {
    return try_transfer(ctx, rma, Slot::get, part_of(ctx).plugin->rma->try_get);
}

int get_fd(void* ctx) {
    return part_of(ctx).plugin->progress->get_fd(inner(ctx));
}

bool try_wait(void* ctx) {
    ContextPart& context = part_of(ctx);
    {
        const std::lock_guard lock(state().mutex);
        if (!context.sends.empty() || !context.transfers.empty() || !context.completions.empty() ||
            (state().gone && !context.swept))
            return false;
    }
    return context.plugin->progress->try_wait(inner(ctx));
}

na_return_t poll(void* ctx, unsigned int* count) {
    if (const na_return_t ret = state().call(Slot::poll); ret != NA_SUCCESS) return ret;
    ContextPart& context = part_of(ctx);
    {
        const std::lock_guard lock(state().mutex);
        ++context.polls;
    }
    sweep(context);
    free_buried(context);
    while (OpPart* op = next_due_post(context))
        if (const na_return_t ret = give(*op); ret != NA_SUCCESS) end(*op, ending(ret));
    const na_return_t ret = context.plugin->progress->poll(inner(ctx), count);
    for (Held held; take_due_completion(context, held); ++*count)
        end(*held.op, held.completion);
    return ret;
}

void wake(void* ctx) {
    part_of(ctx).plugin->progress->wake(inner(ctx));
}

na_return_t cancel(void* ctx, void* op_part) {
    State& s = state();
    if (const na_return_t ret = s.call(Slot::cancel); ret != NA_SUCCESS) return ret;
    ContextPart& context = part_of(ctx);
    OpPart& op = *static_cast<OpPart*>(op_part);
    bool ours = false;
    {
        const std::lock_guard lock(s.mutex);
        ours = take_back(context, op);
        if (!ours && op.stage != Stage::inside) return NA_SUCCESS;
    }
    if (!ours) return context.plugin->progress->cancel(inner(ctx), inner(&op));
    end(op, ending(NA_CANCELED));
    return NA_SUCCESS;
}

na_return_t context_open(void* cls, void* ctx, std::uint8_t id) {
    State& s = state();
    if (const na_return_t ret = s.call(Slot::context_open); ret != NA_SUCCESS) return ret;
    auto& context = *new (ctx) ContextPart;
    context.plugin = static_cast<ClassPart*>(cls)->plugin;
    context.cls = cls;
    const na_return_t ret = context.plugin->class_ops->context_open(inner(cls), inner(ctx), id);
    const std::lock_guard lock(s.mutex);
    if (ret == NA_SUCCESS)
        ++s.report.contexts;
    else
        context.~ContextPart();
    return ret;
}

na_return_t context_close(void* cls, void* ctx) {
    State& s = state();
    if (const na_return_t ret = s.call(Slot::context_close); ret != NA_SUCCESS) return ret;
    ContextPart& context = part_of(ctx);
    const na_plugin& plugin = *context.plugin;
    const auto ghosts = [&] {
        const std::lock_guard lock(s.mutex);
        return context.ghosts;
    };
    for (auto left = ghosts(); !left.empty(); left = ghosts()) {
        for (OpPart* ghost : left)
            (void)plugin.progress->cancel(inner(ctx), inner(ghost));
        unsigned count = 0;
        (void)plugin.progress->poll(inner(ctx), &count);
    }
    free_buried(context);
    {
        const std::lock_guard lock(s.mutex);
        if (!context.posted.empty()) return NA_BUSY;
    }
    const na_return_t ret = plugin.class_ops->context_close(inner(cls), inner(ctx));
    if (ret != NA_SUCCESS) return ret;
    context.~ContextPart();
    const std::lock_guard lock(s.mutex);
    --s.report.contexts;
    return ret;
}

}  // namespace cinnabar::fault
