// SPDX-License-Identifier: BSD-3-Clause
// What the id of a procedure leads to: the handler that serves it now, and how many requests it has
// under way. Part of an engine; any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "cinnabar/handler.hpp"
#include "cinnabar/sync.hpp"
#include "hl/ult/biased_lock.hpp"

namespace cinnabar {
inline namespace v1 {
namespace detail {

// A handler as it is served under a name. Who withdraws it waits for the end of the requests under
// way, which keep it.
struct Served {
    Served(std::shared_ptr<Handler> given, Pool its_pool)
        : handler(std::move(given)), pool(std::move(its_pool)) {}
    ~Served() {
        handler.reset();
        gone->set();
    }
    std::shared_ptr<Handler> handler;
    Pool pool;
    const std::shared_ptr<Event> gone = std::make_shared<Event>();
};

// What is served under one id from one definition to the next. Counted under the entry's lock.
struct Turn {
    explicit Turn(std::shared_ptr<Served> given) : served(std::move(given)) {}
    const std::shared_ptr<Served> served;
    std::size_t requests = 0;
    bool over = false;
};

// Lives as long as the engine. Its lock belongs to the stream that makes progress, if that runs
// handlers too.
class Entry {
public:
    Entry(std::string known, bool without_answer, const StreamCore* progress)
        : name(std::move(known)), one_way(without_answer), unit_name(lasting_name(name)) {
        lock_.set_owner(progress);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { delete turn_; }

    // For one request, until end(); null: only called from here.
    Turn* begin() noexcept {
        const std::lock_guard held(lock_);
        if (turn_ != nullptr) ++turn_->requests;
        return turn_;
    }
    void end(Turn& turn) noexcept {
        {
            const std::lock_guard held(lock_);
            if (--turn.requests != 0 || !turn.over) return;
        }
        delete &turn;
    }
    std::shared_ptr<Served> load() noexcept {
        const std::lock_guard held(lock_);
        return turn_ != nullptr ? turn_->served : nullptr;
    }
    // Gives back what was served before, which is not kept any longer than its requests.
    std::shared_ptr<Served> exchange(std::shared_ptr<Served> other) {
        std::unique_ptr<Turn> turn =
            other != nullptr ? std::make_unique<Turn>(std::move(other)) : nullptr;
        std::unique_ptr<Turn> ended;
        const std::lock_guard held(lock_);
        Turn* const before = std::exchange(turn_, turn.release());
        if (before == nullptr) return nullptr;
        before->over = true;
        std::shared_ptr<Served> served = before->served;
        if (before->requests == 0) ended.reset(before);
        return served;
    }

    const std::string name;
    const bool one_way;
    const char* const unit_name;  // of the handler's units

private:
    BiasedLock lock_;
    Turn* turn_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace cinnabar
