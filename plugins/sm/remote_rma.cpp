// SPDX-License-Identifier: BSD-3-Clause
// Put and get served by the owner of the memory, for peers that cannot reach each other's memory:
// requests, chunks and an end status travel in the rings. The owner checks key, range and
// permission for every chunk, under the lock that deregistration takes, so that memory is never
// touched after it was given back.
#include <algorithm>
#include <cstring>

#include "na/base/log.hpp"
#include "plugins/sm/context.hpp"

namespace cinnabar::sm {
namespace {

using Job = RemoteService::Job;

Job make_job(Job::Kind kind, std::uint32_t request, const RemoteRequest& range = {},
             na_return_t status = NA_SUCCESS) {
    return Job{kind, request, status, range};
}

}  // namespace

void Context::start_remote(Link& link, Op& op) noexcept {
    RemoteService& remote = link.remote;
    try {
        op.request = ++remote.next_request;
        const RemoteRequest range{op.remote_memory->key(), op.remote_offset, op.size};
        remote.asked[op.request] = &op;
        remote.jobs.push_back(make_job(
            op.kind == OpKind::get ? Job::Kind::ask_get : Job::Kind::ask_put, op.request, range));
    } catch (const std::bad_alloc&) {
        remote.asked.erase(op.request);
        return finish(op, NA_NOMEM);
    }
    op.link = &link;
    op.place = OpPlace::remote;
    if (!link.blocked) flush(link);
}

// The operation's memory is not touched any more; what still arrives for it is ignored.
void Context::cancel_remote(Op& op) noexcept {
    Link& link = *op.link;
    link.remote.asked.erase(op.request);
    std::erase_if(link.remote.jobs, [&](const Job& job) {
        return job.request == op.request &&
               (job.kind == Job::Kind::ask_get || job.kind == Job::Kind::ask_put ||
                job.kind == Job::Kind::put_data);
    });
    if (owe(link, make_job(Job::Kind::stop, op.request)) && !link.blocked) flush(link);
}

std::size_t Context::lose_remote(Link& link, na_return_t code) noexcept {
    std::size_t ended = 0;
    while (!link.remote.asked.empty()) {
        Op* op = link.remote.asked.begin()->second;
        link.remote.asked.erase(link.remote.asked.begin());
        finish(*op, code);
        ++ended;
    }
    return ended;
}

bool Context::owe(Link& link, const Job& job) noexcept {
    try {
        link.remote.jobs.push_back(job);
        return true;
    } catch (const std::bad_alloc&) {
        lose(link, NA_NOMEM, "no memory to answer it");
        return false;
    }
}

// Writes one message of the first job. Jobs take turns. False: nothing to write, or no room.
bool Context::write_jobs(Link& link) noexcept {
    std::deque<Job>& jobs = link.remote.jobs;
    if (jobs.empty()) return false;
    const JobStep step = write_job(link, jobs.front());
    if (step == JobStep::no_room) return false;
    if (step == JobStep::wrote && jobs.size() > 1) {
        try {
            jobs.push_back(jobs.front());
        } catch (const std::bad_alloc&) {
            return true;  // it stays the first
        }
    }
    if (step == JobStep::finished || jobs.size() > 1) jobs.pop_front();
    return true;
}

JobStep Context::write_job(Link& link, Job& job) noexcept {
    const auto ended = [](bool written) { return written ? JobStep::finished : JobStep::no_room; };
    switch (job.kind) {
        case Job::Kind::ask_get:
            return ended(
                push(link, MessageKind::get_request, job.request, &job.range, sizeof job.range));
        case Job::Kind::ask_put:
            if (!push(link, MessageKind::put_request, job.request, &job.range, sizeof job.range))
                return JobStep::no_room;
            job.kind = Job::Kind::put_data;
            return JobStep::wrote;
        case Job::Kind::put_data:
            return write_put_data(link, job);
        case Job::Kind::get_data:
            return write_get_data(link, job);
        case Job::Kind::status: {
            const auto code = static_cast<std::uint32_t>(job.status);
            return ended(push(link, MessageKind::rma_status, job.request, &code, sizeof code));
        }
        case Job::Kind::stop:
            return ended(push(link, MessageKind::rma_stop, job.request, nullptr, 0));
    }
    return JobStep::finished;
}

JobStep Context::write_put_data(Link& link, Job& job) noexcept {
    const auto found = link.remote.asked.find(job.request);
    if (found == link.remote.asked.end()) return JobStep::finished;
    Op& op = *found->second;
    const std::size_t size = std::min(op.size, remote_chunk);
    std::byte* room = link.out.reserve(size);
    if (room == nullptr) return JobStep::no_room;
    for (std::size_t done = 0; done < size;) {
        const auto piece =
            static_cast<std::size_t>(std::min<std::uint64_t>(size - done, op.local.contiguous()));
        std::memcpy(room + done, op.local.address(), piece);
        op.local.advance(piece);
        done += piece;
    }
    link.out.commit(static_cast<std::uint8_t>(MessageKind::put_data), job.request, size);
    ring_bell(link);
    op.size -= size;
    return op.size == 0 ? JobStep::finished : JobStep::wrote;
}

JobStep Context::write_get_data(Link& link, Job& job) noexcept {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(job.range.size, remote_chunk));
    std::byte* room = link.out.reserve(size);
    if (room == nullptr) return JobStep::no_room;
    const Status status = cls_.memories().read(job.range.key, job.range.offset, room, size);
    if (!status.ok()) {
        job.kind = Job::Kind::status;
        job.status = status.code();
        log_warning(log_name, "sm://{} asks for {} bytes of memory that it may not read",
                    link.peer->name(), job.range.size);
        return JobStep::wrote;
    }
    link.out.commit(static_cast<std::uint8_t>(MessageKind::get_data), job.request, size);
    ring_bell(link);
    job.range.offset += size;
    job.range.size -= size;
    return job.range.size == 0 ? JobStep::finished : JobStep::wrote;
}

// A message of the RMA kinds. False: the link is lost.
bool Context::on_remote(Link& link, MessageKind kind, const RingMessage& message) noexcept {
    bool good = false;
    try {
        switch (kind) {
            case MessageKind::get_request:
            case MessageKind::put_request:
                good = on_request(link, kind, message);
                break;
            case MessageKind::get_data:
                good = on_get_data(link, message);
                break;
            case MessageKind::put_data:
                good = on_put_data(link, message);
                break;
            case MessageKind::rma_status:
                good = on_status(link, message);
                break;
            case MessageKind::rma_stop:
                on_stop(link, message.tag);
                good = true;
                break;
            default:
                break;
        }
    } catch (const std::bad_alloc&) {
    }
    if (link.state != LinkState::established) return false;
    if (!good) {
        lose(link, NA_PROTOCOL_ERROR, "a message in its ring makes no sense");
        return false;
    }
    take(link, message);
    if (!link.blocked && !link.remote.jobs.empty()) flush(link);
    return link.state == LinkState::established;
}

bool Context::on_request(Link& link, MessageKind kind, const RingMessage& message) {
    RemoteService& remote = link.remote;
    RemoteRequest range;
    if (message.size != sizeof range ||
        remote.jobs.size() + remote.arriving.size() > max_remote_jobs)
        return false;
    std::memcpy(&range, message.data, sizeof range);
    if (range.size == 0) return false;
    if (kind == MessageKind::get_request)
        return owe(link, make_job(Job::Kind::get_data, message.tag, range));
    return remote.arriving.emplace(message.tag, RemoteService::Arrival{range, NA_SUCCESS}).second;
}

bool Context::on_get_data(Link& link, const RingMessage& message) noexcept {
    const auto found = link.remote.asked.find(message.tag);
    if (found == link.remote.asked.end()) return true;  // cancelled
    Op& op = *found->second;
    if (op.kind != OpKind::get || message.size == 0 || message.size > op.size) return false;
    for (std::uint32_t done = 0; done < message.size;) {
        const auto piece = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(message.size - done, op.local.contiguous()));
        std::memcpy(op.local.address(), message.data + done, piece);
        op.local.advance(piece);
        done += piece;
    }
    op.size -= message.size;
    if (op.size > 0) return true;
    link.remote.asked.erase(found);
    finish(op, NA_SUCCESS);
    return true;
}

bool Context::on_put_data(Link& link, const RingMessage& message) noexcept {
    const auto found = link.remote.arriving.find(message.tag);
    if (found == link.remote.arriving.end()) return false;
    auto& [range, status] = found->second;
    if (message.size == 0 || message.size > range.size) return false;
    if (status == NA_SUCCESS) {
        status = cls_.memories().write(range.key, range.offset, message.data, message.size).code();
        if (status != NA_SUCCESS)
            log_warning(log_name, "sm://{} writes {} bytes to memory that it may not write",
                        link.peer->name(), range.size);
    }
    range.offset += message.size;
    range.size -= message.size;
    if (range.size > 0) return true;
    const na_return_t result = status;
    link.remote.arriving.erase(found);
    return owe(link, make_job(Job::Kind::status, message.tag, {}, result));
}

bool Context::on_status(Link& link, const RingMessage& message) noexcept {
    std::uint32_t code = 0;
    if (message.size != sizeof code) return false;
    std::memcpy(&code, message.data, sizeof code);
    const auto found = link.remote.asked.find(message.tag);
    if (found == link.remote.asked.end()) return true;  // cancelled
    Op& op = *found->second;
    // Success before all data went either way is a lie.
    if (code >= NA_RETURN_MAX || (code == NA_SUCCESS && (op.kind == OpKind::get || op.size > 0)))
        return false;
    link.remote.asked.erase(found);
    finish(op, static_cast<na_return_t>(code));
    return true;
}

void Context::on_stop(Link& link, std::uint32_t request) noexcept {
    link.remote.arriving.erase(request);
    std::erase_if(link.remote.jobs, [&](const Job& job) {
        return job.request == request && job.kind == Job::Kind::get_data;
    });
}

}  // namespace cinnabar::sm
