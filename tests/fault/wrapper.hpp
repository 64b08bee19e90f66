// SPDX-License-Identifier: BSD-3-Clause
// The objects of the wrapper: in front of each object of the wrapped plugin lies a part of ours, at
// a fixed distance, so that one is found from the other. Used by the files of this folder only.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <random>
#include <vector>

#include "na_plugin.h"
#include "tests/fault/faults.hpp"

namespace cinnabar::fault {

inline constexpr std::size_t room = 512;  // of our part in each object

template <class T = void>
T* inner(void* outer) {
    return outer == nullptr ? nullptr : reinterpret_cast<T*>(static_cast<std::byte*>(outer) + room);
}
inline void* outer(void* inner) {
    return inner == nullptr ? nullptr : static_cast<std::byte*>(inner) - room;
}

struct ClassPart {
    const na_plugin* plugin;  // the wrapped one
};

struct ContextPart;

// How far an operation is.
enum class Stage {
    idle,
    held,    // not given to the wrapped plugin yet
    inside,  // the wrapped plugin has it
    ended    // its completion is held back
};

struct OpPart {
    ContextPart* context;
    Stage stage;
    Kind kind;
    bool peer_gone;   // the cancel of it was ours, since its peer is gone
    bool ghost;       // the copy of a message; nobody outside knows it
    std::byte* copy;  // of a ghost
    na_send send;     // as they were posted, with the addresses and handles from outside
    na_recv recv;
    na_rma rma;
};

struct Held {
    OpPart* op;
    unsigned due;              // at this poll
    na_completion completion;  // of an operation that has ended
};

// Constructed in the part of a context.
struct ContextPart {
    const na_plugin* plugin = nullptr;
    void* cls = nullptr;
    unsigned polls = 0;
    bool swept = false;        // all peers are gone, and what was posted to them has been ended
    std::deque<Held> sends{};  // in order
    std::vector<Held> transfers{};    // in any order
    std::vector<Held> completions{};  // each kind in order
    std::vector<OpPart*> posted{};
    std::vector<OpPart*> ghosts{};  // in flight
    std::vector<OpPart*> buried{};  // ended, to be freed
};

static_assert(sizeof(ContextPart) <= room && sizeof(OpPart) <= room);

// The plan in force and what it has led to. Never locked while the wrapped plugin or libna is
// called.
struct State {
    std::mutex mutex;
    Plan plan;
    Report report;
    std::mt19937_64 random;
    bool calm = false;
    bool gone = false;

    // Locks: counts a call, and gives the code with which it shall fail.
    na_return_t call(Slot slot);
    // The mutex is held. Whether something happens that has this chance; it is counted if so.
    bool chance(unsigned of_thousand);
    unsigned polls_to_wait() { return 1 + static_cast<unsigned>(random() % 5); }
};

State& state();

extern const na_host* host;  // what libna lends
extern const na_host wrapped_host;

// The functions of a context, for the tables.
na_return_t context_open(void* cls, void* ctx, std::uint8_t id);
na_return_t context_close(void* cls, void* ctx);
na_return_t send_unexpected(void* ctx, void* op, const na_send* send);
na_return_t recv_unexpected(void* ctx, void* op, const na_recv* recv);
na_return_t send_expected(void* ctx, void* op, const na_send* send);
na_return_t recv_expected(void* ctx, void* op, const na_recv* recv);
na_return_t put(void* ctx, void* op, const na_rma* rma);
na_return_t get(void* ctx, void* op, const na_rma* rma);
na_return_t try_send(void* ctx, const na_send* send, bool expected);
na_return_t try_put(void* ctx, const na_rma* rma);
na_return_t try_get(void* ctx, const na_rma* rma);
int get_fd(void* ctx);
bool try_wait(void* ctx);
na_return_t poll(void* ctx, unsigned int* count);
void wake(void* ctx);
na_return_t cancel(void* ctx, void* op);
// What the wrapped plugin calls.
void complete(void* inner_op, const na_completion* completion);

}  // namespace cinnabar::fault
